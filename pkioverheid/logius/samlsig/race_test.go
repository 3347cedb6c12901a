//go:build race

package samlsig

const raceDetector = true

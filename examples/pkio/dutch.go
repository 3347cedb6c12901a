package main

var dutchTexts = map[string]string{}

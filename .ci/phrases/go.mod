module phrases

go 1.26.0

// The peer in Go: net/http on one core.
// Usage: gohttp PORT
package main

import (
	"log"
	"net/http"
	"os"
	"runtime"
)

var body = []byte("Hello, world")

func main() {
	runtime.GOMAXPROCS(1)
	http.HandleFunc("/", func(response http.ResponseWriter, _ *http.Request) {
		response.Header().Set("Content-Type", "text/plain")
		response.Write(body)
	})
	log.Fatal(http.ListenAndServe("127.0.0.1:"+os.Args[1], nil))
}

// SPDX-License-Identifier: Apache-2.0

// See judge.py.
package main

import (
	"bufio"
	"encoding/base64"
	"fmt"
	"net/http"
	"os"
	"strings"
)

func said(err error) string {
	switch err {
	case nil:
		return "true"
	case errSecret:
		return "error"
	}
	return "false"
}

func main() {
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var fields []string
		for _, field := range strings.Split(lines.Text(), "|") {
			bytes, err := base64.StdEncoding.DecodeString(field)
			if err != nil {
				panic(err)
			}
			fields = append(fields, string(bytes))
		}
		header := http.Header{}
		for i := 2; i < len(fields); i += 2 {
			header.Add(fields[i], fields[i+1])
		}
		secret, body := fields[0], []byte(fields[1])
		fmt.Println(said(Verify(secret, header, body)), said(VerifyPlain(secret, header, body)))
	}
}

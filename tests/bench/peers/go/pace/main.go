// Load at a fixed rate. Each request has a moment at which it should leave; its time counts from that moment, also
// when no connection was free then (no coordinated omission). Without a rate, each connection asks as soon as it can.
package main

import (
	"bufio"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"sort"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

type headers []string

func (h *headers) String() string     { return "" }
func (h *headers) Set(v string) error { *h = append(*h, v); return nil }

type tally struct {
	took   []time.Duration
	failed int64
}

var address = flag.String("address", "", "host:port")
var target = flag.String("target", "/", "path and query")
var connections = flag.Int("c", 64, "connections")
var rate = flag.Float64("rate", 0, "requests a second; 0: as fast as the answers come")
var duration = flag.Duration("d", 2*time.Second, "how long")
var users = flag.String("users", "", "a file of users and their tokens, a line each, who ask in turn")
var budget = flag.Duration("budget", time.Second, "an answer after this is useless")

func main() {
	var extra headers
	flag.Var(&extra, "H", "a header, as often as needed")
	flag.Parse()
	text := fmt.Sprintf("GET %s HTTP/1.1\r\nHost: %s\r\n", *target, *address)
	for _, one := range extra {
		text += one + "\r\n"
	}
	requests := [][]byte{[]byte(text + "\r\n")}
	if *users != "" {
		requests = asUsers(text, *users)
	}
	var asked int64
	request := func() []byte { return requests[(atomic.AddInt64(&asked, 1)-1)%int64(len(requests))] }
	begin := time.Now()
	var next int64
	due := func() (time.Time, bool) {
		at := time.Now()
		if *rate > 0 {
			at = begin.Add(time.Duration(float64(atomic.AddInt64(&next, 1)-1) / *rate * float64(time.Second)))
		}
		return at, at.Sub(begin) < *duration
	}
	tallies := make([]tally, *connections)
	var wait sync.WaitGroup
	for index := range tallies {
		wait.Add(1)
		go func(mine *tally) {
			defer wait.Done()
			work(mine, request, due)
		}(&tallies[index])
	}
	wait.Wait()
	report(tallies, time.Since(begin))
}

// asUsers reads the file and returns the request of each user.
func asUsers(text, file string) [][]byte {
	lines, err := os.ReadFile(file)
	if err != nil {
		panic(err)
	}
	var requests [][]byte
	for _, line := range strings.Split(strings.TrimSpace(string(lines)), "\n") {
		user, token, _ := strings.Cut(line, " ")
		requests = append(requests, []byte(text+"x-user: "+user+"\r\nauthorization: Bearer "+token+"\r\n\r\n"))
	}
	return requests
}

// work asks over one connection, opened anew after a failure.
func work(mine *tally, request func() []byte, due func() (time.Time, bool)) {
	var conn net.Conn
	var reader *bufio.Reader
	for at, more := due(); more; at, more = due() {
		time.Sleep(time.Until(at))
		var err error
		if conn == nil {
			if conn, err = net.DialTimeout("tcp", *address, 2*time.Second); err == nil {
				reader = bufio.NewReaderSize(conn, 16<<10)
			}
		}
		var status int
		if err == nil {
			status, err = ask(conn, reader, request())
		}
		mine.took = append(mine.took, time.Since(at))
		if err != nil {
			if conn != nil {
				conn.Close()
			}
			conn = nil
		}
		if err != nil || status != http.StatusOK || time.Since(at) > *budget {
			mine.failed++
		}
	}
}

func ask(conn net.Conn, reader *bufio.Reader, request []byte) (int, error) {
	conn.SetDeadline(time.Now().Add(10 * time.Second))
	if _, err := conn.Write(request); err != nil {
		return 0, err
	}
	response, err := http.ReadResponse(reader, nil)
	if err != nil {
		return 0, err
	}
	_, err = io.Copy(io.Discard, response.Body)
	return response.StatusCode, err
}

func report(tallies []tally, took time.Duration) {
	var all []time.Duration
	var failed int64
	for _, one := range tallies {
		all = append(all, one.took...)
		failed += one.failed
	}
	sort.Slice(all, func(a, b int) bool { return all[a] < all[b] })
	at := func(share float64) float64 {
		if len(all) == 0 {
			return 0
		}
		return float64(all[int(share*float64(len(all)-1))].Microseconds()) / 1000
	}
	json.NewEncoder(os.Stdout).Encode(map[string]any{
		"requests": len(all), "seconds": took.Seconds(), "failed": failed, "p50_ms": at(0.5), "p99_ms": at(0.99),
	})
}

// What a competent Go developer writes for the same screen: net/http, one goroutine a backend, encoding/json.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"sync"
	"time"
)

type profile struct {
	DisplayName string `json:"displayName"`
	AccountTier string `json:"accountTier"`
}

type order struct {
	ID       string `json:"id"`
	Status   string `json:"status"`
	Amount   string `json:"amount"`
	Currency string `json:"currency"`
	PlacedAt string `json:"placedAt"`
}

type alert struct {
	ID        string `json:"id"`
	Severity  string `json:"severity"`
	Message   string `json:"message"`
	CreatedAt string `json:"createdAt"`
}

type gap struct {
	Section string `json:"section"`
	Reason  string `json:"reason"`
	Source  string `json:"source"`
}

type dashboard struct {
	UserID       string  `json:"userId"`
	DisplayName  string  `json:"displayName"`
	Tier         string  `json:"tier"`
	RecentOrders []order `json:"recentOrders"`
	Alerts       []alert `json:"alerts"`
	AggregatedAt string  `json:"aggregatedAt"`
	Degraded     []gap   `json:"degraded"`
}

var client = &http.Client{Transport: &http.Transport{
	MaxIdleConns: 0, MaxIdleConnsPerHost: 128, MaxConnsPerHost: 128, DisableCompression: true,
}}

var milliseconds, _ = strconv.Atoi(os.Getenv("TIMEOUT_MS"))
var timeout = time.Duration(milliseconds) * time.Millisecond

func ask(ctx context.Context, address string, into any) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return err
	}
	response, err := client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("status %d", response.StatusCode)
	}
	return json.NewDecoder(response.Body).Decode(into)
}

func serve(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), timeout)
	defer cancel()
	user := r.Header.Get("x-user")
	id := url.PathEscape(user)
	var who profile
	orders := []order{}
	var alerts []alert
	var failed [3]error
	var wait sync.WaitGroup
	fetch := func(index int, address string, into any) {
		wait.Add(1)
		go func() {
			defer wait.Done()
			failed[index] = ask(ctx, address, into)
		}()
	}
	fetch(0, os.Getenv("USERS_URL")+"/api/internal/users/"+id+"/profile", &who)
	fetch(1, os.Getenv("ORDERS_URL")+"/api/internal/orders?userId="+id+"&limit=5", &orders)
	fetch(2, os.Getenv("ALERTS_URL")+"/api/internal/alerts?userId="+id, &alerts)
	wait.Wait()
	answer := dashboard{UserID: user, Degraded: []gap{}}
	if failed[0] != nil {
		who = profile{"User", "Free"}
		answer.Degraded = append(answer.Degraded, gap{"profile", "unreachable", "default"})
	}
	if failed[1] != nil {
		answer.Degraded = append(answer.Degraded, gap{"recentOrders", "unreachable", "default"})
	}
	if failed[2] != nil {
		answer.Degraded = append(answer.Degraded, gap{"alerts", "unreachable", "none"})
	}
	answer.DisplayName, answer.Tier = who.DisplayName, who.AccountTier
	answer.RecentOrders, answer.Alerts = orders, alerts
	answer.AggregatedAt = time.Now().UTC().Format("2006-01-02T15:04:05Z")
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(answer)
}

func main() {
	http.HandleFunc("/mobile/v1/dashboard", serve)
	http.HandleFunc("/health/ready", func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte("ready")) })
	panic(http.ListenAndServe("127.0.0.1:"+os.Getenv("LISTEN_PORT"), nil))
}

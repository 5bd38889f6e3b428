-- A request with the body in BENCH_BODY, if there is one; and what wrk knows at its end, as one line of JSON.
local body = os.getenv("BENCH_BODY")
if body then
  wrk.method, wrk.body = "POST", body
  wrk.headers["content-type"] = "application/json"
end

done = function(summary, latency, requests)
  local errors = summary.errors
  io.write(string.format(
    '{"requests": %d, "seconds": %f, "p50_ms": %f, "p99_ms": %f, "failed": %d}\n',
    summary.requests, summary.duration / 1e6, latency:percentile(50) / 1000, latency:percentile(99) / 1000,
    errors.connect + errors.read + errors.write + errors.status + errors.timeout))
end

-- A request with the body in BENCH_BODY, if there is one, and with BENCH_KEYS different values of x-key in turn; and
-- what wrk knows at its end, as one line of JSON.
local body = os.getenv("BENCH_BODY")
if body then
  wrk.method, wrk.body = "POST", body
  wrk.headers["content-type"] = "application/json"
end

local keys, asked = tonumber(os.getenv("BENCH_KEYS")), 0
if keys then
  request = function()
    asked = (asked + 1) % keys
    wrk.headers["x-key"] = "k-" .. asked
    return wrk.format()
  end
end

done = function(summary, latency, requests)
  local errors = summary.errors
  io.write(string.format(
    '{"requests": %d, "seconds": %f, "p50_ms": %f, "p99_ms": %f, "failed": %d}\n',
    summary.requests, summary.duration / 1e6, latency:percentile(50) / 1000, latency:percentile(99) / 1000,
    errors.connect + errors.read + errors.write + errors.status + errors.timeout))
end

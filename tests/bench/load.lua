-- A request with the body in BENCH_BODY, if there is one, and with BENCH_KEYS different values of x-key in turn; and
-- what wrk knows at its end, as one line of JSON.
local body = os.getenv("BENCH_BODY")
if body then
  wrk.method, wrk.body = "POST", body
  wrk.headers["content-type"] = "application/json"
end

-- The users of BENCH_USERS, a file with a line for each, ask in turn: nobody's answer is somebody else's.
local users, turn = {}, 0
if os.getenv("BENCH_USERS") then
  for line in io.lines(os.getenv("BENCH_USERS")) do
    local user, token = line:match("^(%S+) (%S+)$")
    wrk.headers["x-user"], wrk.headers["authorization"] = user, "Bearer " .. token
    users[#users + 1] = {user, "Bearer " .. token}
  end
end

init = function()
  for number, one in ipairs(users) do
    wrk.headers["x-user"], wrk.headers["authorization"] = one[1], one[2]
    users[number] = wrk.format()
  end
end

if #users > 0 then
  request = function()
    turn = turn % #users + 1
    return users[turn]
  end
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

-- Judges whole requests: every limit of a request in one go, and either all of them are charged or none.
--
-- KEYS  one for each descriptor, request after request
-- ARGV  [1] microseconds for tests that hold the clock, "" in service: then it is this server's own clock
--       then for each request: how many descriptors; for each of them: algorithm, limit, window (us), segments, cost,
--       shadow (1 or 0)
-- gives for each descriptor: admitted (1 or 0), units left, microseconds until more (or, refused, until it would fit)
--
-- The arithmetic is that of decide.py, line for line: the tests hold them together.

local fixed = ARGV[1] ~= ""
local now
if fixed then
  now = tonumber(ARGV[1])
else
  local time = redis.call("TIME")
  now = tonumber(time[1]) * 1000000 + tonumber(time[2])
end

-- Longer than anything counts; a key that nobody touches is gone by itself.
local function keep_ms(us)
  if fixed then return 3600000 end
  return math.ceil(us / 1000) + 1000
end

local window = {}  -- sliding_window: {segment, units, last entry's time} after each other, oldest first

function window.read(key, it)
  local packed = redis.call("GET", key)
  local segments, used, ahead = {}, 0, false
  if packed then
    local all = cmsgpack.unpack(packed)
    for i = 1, #all, 3 do
      local last = math.min(all[i + 2], now)  -- written while this server's clock was ahead: from now on, then
      ahead = ahead or all[i + 2] > now
      if last + it.window > now then
        segments[#segments + 1], segments[#segments + 2], segments[#segments + 3] = all[i], all[i + 1], last
        used = used + all[i + 1]
      end
    end
  end
  it.state, it.used = segments, used
  if ahead then redis.call("SET", key, cmsgpack.pack(segments), "PX", keep_ms(it.window)) end
end

function window.wait(it)
  local missing, segments = it.used + it.cost - it.limit, it.state
  for i = 1, #segments, 3 do
    missing = missing - segments[i + 1]
    if missing <= 0 then return segments[i + 2] + it.window - now end
  end
  return it.window
end

function window.left(it) return it.limit - it.used end

function window.renewal(it)
  if #it.state == 0 then return 0 end
  return it.state[3] + it.window - now
end

function window.charge(key, it)
  local segments = it.state
  local segment = math.floor(now / math.floor(it.window / it.segments))
  local n = #segments
  if n > 0 and segments[n - 2] >= segment then
    segments[n - 1], segments[n] = segments[n - 1] + it.cost, now
  else
    segments[n + 1], segments[n + 2], segments[n + 3] = segment, it.cost, now
  end
  it.used = it.used + it.cost
  redis.call("SET", key, cmsgpack.pack(segments), "PX", keep_ms(it.window))
end

local log = {}  -- sliding_log: a list of times, one for each unit, oldest first

function log.read(key, it)
  local newest = redis.call("LINDEX", key, -1)
  if newest and tonumber(newest) > now then  -- as above
    local all = redis.call("LRANGE", key, 0, -1)
    for i = 1, #all do
      if tonumber(all[i]) > now then redis.call("LSET", key, i - 1, string.format("%.0f", now)) end
    end
  end
  local oldest = redis.call("LINDEX", key, 0)
  while oldest and tonumber(oldest) + it.window <= now do
    redis.call("LPOP", key)
    oldest = redis.call("LINDEX", key, 0)
  end
  it.key, it.oldest, it.used = key, oldest and tonumber(oldest), redis.call("LLEN", key)
end

function log.wait(it)
  if it.cost > it.limit then return it.window end
  return tonumber(redis.call("LINDEX", it.key, it.used + it.cost - it.limit - 1)) + it.window - now
end

function log.left(it) return it.limit - it.used end

function log.renewal(it)
  if not it.oldest then return 0 end
  return it.oldest + it.window - now
end

function log.charge(key, it)
  local stamp = string.format("%.0f", now)
  local left = it.cost
  while left > 0 do
    local stamps = {}
    for i = 1, math.min(left, 1000) do stamps[i] = stamp end  -- more would not fit on Lua's stack
    redis.call("RPUSH", key, unpack(stamps))
    left = left - #stamps
  end
  redis.call("PEXPIRE", key, keep_ms(it.window))
  it.used, it.oldest = it.used + it.cost, it.oldest or now
end

local bucket = {}  -- token_bucket: {level, time}; a unit is as many as the window has milliseconds, so all is whole

function bucket.read(key, it)
  local packed, ms = redis.call("GET", key), math.floor(now / 1000)
  local level = 0
  if packed then
    local state = cmsgpack.unpack(packed)
    level = math.max(0, state[1] - math.max(0, ms - state[2]) * it.limit)
    if state[2] > ms then redis.call("SET", key, cmsgpack.pack({level, ms}), "PX", keep_ms(it.window)) end
  end
  it.unit, it.level, it.ms = it.window / 1000, level, ms
  it.used = math.ceil(level / it.unit)
end

function bucket.wait(it)
  local over = it.level + (it.cost - it.limit) * it.unit
  return math.min(math.ceil(over / it.limit) * 1000, it.window)
end

function bucket.left(it) return it.limit - it.used end

function bucket.renewal(it) return math.ceil(it.level / it.limit) * 1000 end

function bucket.charge(key, it)
  it.level = it.level + it.cost * it.unit
  it.used = math.ceil(it.level / it.unit)
  redis.call("SET", key, cmsgpack.pack({it.level, it.ms}), "PX", keep_ms(bucket.renewal(it)))
end

local algorithms = {sliding_window = window, sliding_log = log, token_bucket = bucket}

local answers, key, argument = {}, 1, 2
while argument <= #ARGV do
  local count = tonumber(ARGV[argument])
  argument = argument + 1
  local request, admitted = {}, true
  for i = 1, count do
    local it = {
      how = algorithms[ARGV[argument]], limit = tonumber(ARGV[argument + 1]), window = tonumber(ARGV[argument + 2]),
      segments = tonumber(ARGV[argument + 3]), cost = tonumber(ARGV[argument + 4]), shadow = ARGV[argument + 5] == "1",
    }
    argument = argument + 6
    it.how.read(KEYS[key + i - 1], it)
    it.fits = it.cost == 0 or it.used + it.cost <= it.limit
    if not (it.fits or it.shadow) then admitted = false end
    request[i] = it
  end
  for i = 1, count do
    local it = request[i]
    if admitted and it.fits and it.cost > 0 then it.how.charge(KEYS[key + i - 1], it) end
    answers[#answers + 1] = it.fits and 1 or 0
    answers[#answers + 1] = math.max(0, it.how.left(it))
    answers[#answers + 1] = it.fits and it.how.renewal(it) or it.how.wait(it)
  end
  key = key + count
end
return answers

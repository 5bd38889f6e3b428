"""The few decisions that Envoy's own filters cannot take, as Lua.

Owns the sources. Each runs inside Envoy for every request, so each is short. Envoy lets a request pass when a script
breaks, therefore what judges runs under ``pcall``, and no verdict is a refusal. A reply made here passes through
``answers.py`` like every other one of Envoy's own.
"""

from typing import Final

# Step 1 of a request, and the last step of its answer.
GUARD: Final = r"""
-- Unseeded, every Envoy would make the same ids. The address of a table differs by thread and process.
math.randomseed((os.time() * 1000 + tonumber(tostring({}):match("0x(%x+)"), 16)) % 2147483647)

local SECRET = {access_token = true, id_token = true, refresh_token = true, authorization = true, bearer_token = true,
                api_key = true, apikey = true, x_api_key = true, jwt = true}

local function plain(text)
  return (text:gsub("+", " "):gsub("%%(%x%x)", function(hex) return string.char(tonumber(hex, 16)) end))
end

-- A credential in a URL ends up in histories, logs and Referer headers: refused, so that nobody gets used to it.
local function holds_secret(query)
  for pair in query:gmatch("[^&;]+") do
    local name, value = pair:match("^([^=]*)=?(.*)$")
    name, value = plain(name):lower():gsub("-", "_"), plain(value)
    if SECRET[name] or value:find("^eyJ[%w_-]+%.[%w_-]+%.[%w_-]*$") or value:find("^[Bb]earer eyJ")
       or value:find("bffk_%w+_%w+_%w+") then
      return true
    end
  end
  return false
end

local function hex(bytes)
  local out = {}
  for i = 1, bytes do out[i] = string.format("%02x", math.random(0, 255)) end
  return table.concat(out)
end

-- version 00, no zero ids (W3C Trace Context §3.2.2)
local function is_traceparent(value)
  local trace, span = value:match("^00%-(%x+)%-(%x+)%-%x%x$")
  return trace ~= nil and #trace == 32 and #span == 16 and trace:find("[^0]") ~= nil and span:find("[^0]") ~= nil
     and not value:find("%u")
end

-- What one part strips or decodes once more, another judged without it (field case E1).
local AMBIGUOUS = {["2e"] = true, ["2f"] = true, ["5c"] = true, ["25"] = true, ["3b"] = true}
-- UTF-8 beyond ASCII (RFC 3629 §4). An overlong "/" is in none of them, nor half a character.
local CHARACTERS = {"[\194-\223][\128-\191]", "\224[\160-\191][\128-\191]", "[\225-\236\238\239][\128-\191][\128-\191]",
                    "\237[\128-\159][\128-\191]", "\240[\144-\191][\128-\191][\128-\191]",
                    "[\241-\243][\128-\191][\128-\191][\128-\191]", "\244[\128-\143][\128-\191][\128-\191]"}

local function is_text(path)
  local bytes, escapes = path:gsub("%%(%x%x)", function(hex) return string.char(tonumber(hex, 16)) end)
  local _, marks = path:gsub("%%", "")
  if marks ~= escapes or bytes:find("%c") then return false end
  for _, form in ipairs(CHARACTERS) do bytes = bytes:gsub(form, " ") end
  return not bytes:find("[\128-\255]")
end

local function is_ambiguous(path)
  if path:find(";", 1, true) then return true end
  if not path:find("%", 1, true) then return false end
  local low = path:lower()
  if low:find("%3b", 1, true) or low:find("%2e", 1, true) or not is_text(path) then return true end
  for code in low:gmatch("%%25(%x%x)") do
    if AMBIGUOUS[code] then return true end
  end
  return false
end

-- One look at all headers: asking Envoy for each of these would be as dear again. Repeated ones are joined.
local WANTED = {[":path"] = true, [":authority"] = true, [":method"] = true, ["authorization"] = true,
                ["x-api-key"] = true, ["traceparent"] = true}
local PLAIN, plain_names = {}, 0  -- names that were looked at before

local function read(headers)
  local found, count, bytes = {}, 0, 0
  for name, value in pairs(headers) do
    count, bytes = count + 1, bytes + #name + #value
    if WANTED[name] then found[name] = found[name] and found[name] .. "," .. value or value end
    if not PLAIN[name] then
      -- x_user_id and x-user-id are one variable to WSGI and CGI
      if name:find("_", 1, true) then found.underscore = true end
      if plain_names < 500 then PLAIN[name], plain_names = not found.underscore, plain_names + 1 end
    end
  end
  found.oversize = count > MAX_HEADER_COUNT or bytes > MAX_HEADER_BYTES
  return found
end

-- A scheme knows no case (RFC 9110 §11.1); Envoy's JWT filter does.
local function bearer_of(headers, credential)
  if credential == nil or credential:sub(1, 7) == "Bearer " then return credential end
  local scheme, rest = credential:match("^(%a+) +(.*)$")
  if scheme == nil or scheme:lower() ~= "bearer" then return nil end
  headers:replace("authorization", "Bearer " .. rest)
  return rest
end

local function judge(headers, has_auth, found)
  local path, query = found[":path"] or "", ""
  local mark = path:find("?", 1, true)
  if mark then path, query = path:sub(1, mark - 1), path:sub(mark + 1) end
  -- Envoy joins repeated ones with a comma (RFC 9112 §3.2: refuse them).
  if not (found[":authority"] or ""):find("^[%w.:_[%]-]+$") then return "400", "The request does not name one host." end
  local method = found[":method"]
  -- One echoes credentials; the other asks for a tunnel, and would wait for a body without an end.
  if method == "TRACE" or method == "CONNECT" then return "405", method .. " is not allowed." end
  if is_ambiguous(path) then return "400", "The path holds an ambiguous escape or a ';'." end
  if query ~= "" and holds_secret(query) then
    found.leaked = plain(query):match("bffk_%w+_(%w+)_%w")
    return "401", "Send the token in the Authorization header, never in the URL."
  end
  -- No bearer token holds a comma.
  local bearer = bearer_of(headers, found["authorization"])
  if bearer ~= nil and bearer:find(",", 1, true) then return "400", "Send one Authorization header." end
  -- Two credentials: whoever judged the first might not be who uses the second (identity.md A37).
  local key = has_auth and found["x-api-key"]
  if key and (found["authorization"] ~= nil or key:find(",", 1, true)) then return "400", "Send one credential." end
  if found.underscore then return "400", "A header name holds an underscore." end
  -- Envoy itself would reset an HTTP/2 stream for this, without a word.
  if found.oversize then return "431", "The request headers are too many or too large." end
end

function envoy_on_request(handle)
  local headers = handle:headers()
  local found = read(headers)
  local sound, status, detail = pcall(judge, headers, handle:metadata():get("credential"), found)
  if not sound then status, detail = "400", "The request is malformed." end
  if status ~= nil then
    if found.leaked ~= nil then  -- its id is no secret: whoever keeps the keys shall revoke it
      handle:logWarn("API key " .. found.leaked:sub(1, 12) .. " was sent in a URL: revoke it")
    end
    local answer = {[":status"] = status}
    if status == "405" then answer.allow = "DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT" end  -- RFC 9110 §15.5.6
    return handle:respond(answer, detail)
  end
  local parent = found["traceparent"]
  local sound_parent = parent ~= nil and is_traceparent(parent)
  -- Not sampled by our ratio is no wish of the caller's: a BFF may still tell a trace that ended badly (ADR 9).
  if not sound_parent then headers:replace("x-frontage-sampling", "edge") end
  if TRACER and (parent == nil or sound_parent) then return end  -- Envoy's span has the id
  -- No span: tracing is off, or Envoy starts none for a malformed parent. The id is known all the same.
  local trace = sound_parent and parent:sub(4, 35) or hex(16)
  if not sound_parent then
    headers:replace("traceparent", "00-" .. trace .. "-" .. hex(8) .. "-" .. (math.random() < RATIO and "01" or "00"))
    headers:remove("tracestate")
  end
  handle:streamInfo():dynamicMetadata():set("frontage.guard", "trace_id", trace)
end

-- Of an answer, as ``read`` of a request.
local ASKED = {[":status"] = true, ["connection"] = true, ["x-trace-id"] = true, ["x-frontage-own"] = true,
               ["ratelimit"] = true, ["ratelimit-policy"] = true, ["retry-after"] = true, ["x-ratelimit-limit"] = true,
               ["x-ratelimit-remaining"] = true}

local function collect(headers)
  local found = {}
  for name, value in pairs(headers) do
    if ASKED[name] then found[name] = found[name] and found[name] .. "," .. value or value end
  end
  return found
end

function envoy_on_response(handle)
  local headers = handle:headers()
  local found = collect(headers)
  tell_limits(handle, headers, found)
  local named = found["connection"]  -- of the connection to the upstream, and everything it names (E5)
  if named ~= nil then
    for name in named:gmatch("[^,%s]+") do
      if name:lower() ~= "close" and name:lower() ~= "keep-alive" then headers:remove(name) end
    end
  end
  local trace = found["x-trace-id"]
  if trace == nil or #trace ~= 32 then  -- refused before a span began: by the codec, or for a bad path or traceparent
    local kept = handle:streamInfo():dynamicMetadata():get("frontage.guard")
    trace = (kept and kept.trace_id) or hex(16)
    headers:replace("x-trace-id", trace)
  end
  if found["x-frontage-own"] ~= nil then
    headers:remove("x-frontage-own")
    local body = handle:body()
    if body ~= nil then
      local text = body:getBytes(0, body:length())
      -- Quotes inside JSON strings are escaped, so these stand for the members themselves.
      text = text:gsub('"traceId":null', '"traceId":"' .. trace .. '"'):gsub('"instance":null', '"instance":"/"')
      text = text:gsub('"retryAfterSeconds":"(%d+)"', '"retryAfterSeconds":%1'):gsub('"retryAfterSeconds":null,', '')
      body:setBytes(text)
    end
  end
end
"""

# Step 3: min(route timeout, what the client asked for) - 100 ms goes upstream; Envoy itself gives up at the minimum.
# And what the request says it is worth, never more than its route allows: who says nothing would count as the most.
DEADLINE: Final = r"""
local function rank_of(headers)
  local said = headers:get("x-priority")
  if said == nil or headers:getNumValues("x-priority") ~= 1 then return nil end
  return RANKS[said:lower():match("^%s*(.-)%s*$")]
end

local function lower_priority(headers, cap)
  local rank = rank_of(headers)
  if cap > 0 and (rank == nil or rank < cap) then rank = cap end
  if rank == nil then headers:remove("x-priority") else headers:replace("x-priority", NAMES[rank]) end
end

function envoy_on_request(handle)
  local headers, cap = handle:headers(), handle:metadata():get("cap")
  if cap ~= nil then lower_priority(headers, cap) end
  local timeout = handle:metadata():get("timeout_ms")
  if timeout == nil then return end
  local asked = headers:get("x-deadline-ms")
  -- A positive whole number, once, below 12 days; anything else does not count, and nothing can extend the route's.
  if asked ~= nil and headers:getNumValues("x-deadline-ms") == 1 and asked:find("^%d+$") and #asked <= 9 then
    local milliseconds = tonumber(asked)
    if milliseconds > 0 and milliseconds < timeout then timeout = milliseconds end
  end
  headers:replace("x-deadline-ms", string.format("%d", math.max(1, timeout - 100)))
  headers:replace("x-envoy-upstream-rq-timeout-ms", string.format("%d", timeout))
end
"""

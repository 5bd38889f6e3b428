"""What a client is told about its limits when several count for it: here, at the limiter, and in the BFF.

Owns the choice, on the way back (``lua.GUARD`` calls it): one value in each of RateLimit, RateLimit-Policy and
Retry-After (field case L6). The limit that blocked is the one whose wait Retry-After tells; when none did, the one with
the fewest units left. Envoy tells of its own buckets in X-RateLimit headers, which stop here.
"""

from typing import Final

from edge.assembly import Edge, OwnedRoute
from edge.envoy.words import Json

SOURCE: Final = r"""
local function items(text)  -- of a list of strings with numbers as parameters: all that RateLimit headers are
  local found = {}
  for item in (text or ""):gmatch("[^,]+") do
    local name = item:match('^%s*"([^"]*)"')
    if name ~= nil then found[#found + 1] = {name = name, text = item:match("^%s*(.-)%s*$")} end
  end
  return found
end

-- Envoy's own buckets: several filters add to one header, and those that count nothing add a huge bucket.
local function fewest(limits, lefts)
  local limit, left
  local each = (limits or ""):gmatch("%d+")
  for text in (lefts or ""):gmatch("%d+") do
    local of = each()
    if left == nil or tonumber(text) < left then limit, left = of, tonumber(text) end
  end
  return limit, left
end

local BUCKET_HEADERS = {"x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset"}

-- ``found``: the headers of the answer that are asked for here, by name.
local function own_bucket(handle, headers, found, told, policies)
  local limit, left = fewest(found["x-ratelimit-limit"], found["x-ratelimit-remaining"])
  for _, name in ipairs(BUCKET_HEADERS) do headers:remove(name) end
  local policy = limit ~= nil and handle:metadata():get("bucket " .. limit)
  if not policy then return end
  local name = policy:match('^"([^"]*)"')
  local wait = found[":status"] == "429" and #told == 0 and found["retry-after"]
  local text = '"' .. name .. '";r=' .. string.format("%d", left) .. (wait and ";t=" .. wait or "")
  told[#told + 1] = {name = name, text = text}
  policies[#policies + 1] = {name = name, text = policy}
end

local function tell_limits(handle, headers, found)
  local said, bucket = found["ratelimit"], found["x-ratelimit-limit"]
  if said == nil and bucket == nil then return end
  local told, policies = items(said), items(found["ratelimit-policy"])
  if bucket ~= nil then own_bucket(handle, headers, found, told, policies) end
  local blocked = found[":status"] == "429" and found["retry-after"]
  local best, least
  for _, one in ipairs(told) do
    local left = tonumber(one.text:match(";%s*r=(%d+)")) or math.huge
    if blocked and one.text:match(";%s*t=(%d+)") == blocked and left == 0 then left = -1 end
    if least == nil or left < least then best, least = one, left end
  end
  if best == nil then return end
  headers:replace("ratelimit", best.text)
  for _, one in ipairs(policies) do
    if one.name == best.name then headers:replace("ratelimit-policy", one.text) end
  end
end
"""


def route_buckets(edge: Edge, route: OwnedRoute) -> Json:
    """Return what is told of a route's instance limits, by their number, by which Envoy tells of them."""
    limits = edge.route_limits(route)
    return {
        f"bucket {one.limit}": f'"{name}";q={one.limit};w={max(1, round(one.window.total_seconds()))}'
        for name, one in reversed(limits.items())
        if not (one.distributed or one.shadow)
    }

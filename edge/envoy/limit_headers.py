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

local function own_bucket(handle, headers, told, policies)
  local limit, left = fewest(headers:get("x-ratelimit-limit"), headers:get("x-ratelimit-remaining"))
  for _, name in ipairs({"x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset"}) do headers:remove(name) end
  local known = limit ~= nil and (handle:metadata():get("buckets") or {})[limit]
  if not known then return end
  local wait = headers:get(":status") == "429" and #told == 0 and headers:get("retry-after")
  local text = '"' .. known.name .. '";r=' .. string.format("%d", left) .. (wait and ";t=" .. wait or "")
  told[#told + 1] = {name = known.name, text = text}
  policies[#policies + 1] = {name = known.name, text = '"' .. known.name .. '";q=' .. limit .. ";w=" .. known.window}
end

local function tell_limits(handle, headers)
  local said, bucket = headers:get("ratelimit"), headers:get("x-ratelimit-limit")
  if said == nil and bucket == nil then return end
  local told, policies = items(said), items(headers:get("ratelimit-policy"))
  if bucket ~= nil then own_bucket(handle, headers, told, policies) end
  local blocked = headers:get(":status") == "429" and headers:get("retry-after")
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
    """Return the names and windows of a route's instance limits by their number, by which Envoy tells of them."""
    limits = edge.route_limits(route)
    buckets = {
        str(one.limit): {"name": name, "window": str(max(1, round(one.window.total_seconds())))}
        for name, one in reversed(limits.items())
        if not (one.distributed or one.shadow)
    }
    return {"buckets": buckets} if buckets else {}

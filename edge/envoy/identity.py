"""Who calls, as Lua: what Envoy's own filter does not ask of a JWT, and what the control service found out.

Owns both sources, and what they leave for others: ``frontage.identity`` (subject and client, for limits), and in mode
``edge`` the headers that a BFF is told. As in ``lua.py``: what judges runs under ``pcall``, no verdict is a refusal.
"""

from typing import Final

# Step 2: what jwt_authn does not ask. It reads Envoy's own parse of the token, so two parsers cannot differ.
CLAIMS: Final = r"""
local INVALID = "The access token is not valid."

-- As shared/identity/claims.py has it: some text, of 255 characters at most, on one line.
local function is_name(value)
  return type(value) == "string" and value ~= "" and not value:find("%c")
     and (#value <= 255 or (#value <= 1020 and select(2, value:gsub("[^\128-\191]", "")) <= 255))
end

-- 8 KiB at most; and the spare bits of the signature's last character are zero, or one token had several spellings.
local SPARE = {[0] = ".$", [2] = "[AQgw]$", [3] = "[AEIMQUYcgkosw048]$"}
local function is_canonical(credential)
  local token = credential:match("^Bearer +(.-) *$")
  if token == nil or #token > 8192 then return false end
  local signature = token:match("%.([^.]*)$") or ""
  return signature:find(SPARE[#signature % 4] or "^$") ~= nil
end

-- What RFC 9068 §2.2 wants in every token, beside what Envoy's own filter looks at.
local function is_whole(claims)
  return is_name(claims.sub) and is_name(claims.client_id) and is_name(claims.jti) and type(claims.iat) == "number"
     and claims.aud ~= nil and (claims.scope == nil or type(claims.scope) == "string")
end

-- A value that no header can misread: nothing but plain characters as they are (mode edge; the BFF decodes).
local function plain(text)
  return (text:gsub("[^%w%-._~:/@=|]", function(c) return string.format("%%%02X", c:byte()) end))
end

-- Mode edge: in the credential's place, what was found out about it.
local function tell(headers, claims)
  for _, name in ipairs({"authorization", "x-api-key", "cookie"}) do headers:remove(name) end
  headers:replace("x-auth-sub", plain(claims.sub))
  headers:replace("x-auth-client", plain(claims.client_id))
  headers:replace("x-auth-scope", plain(claims.scope or ""))
  headers:replace("x-auth-method", "jwt")
  headers:replace("x-auth-exp", string.format("%d", claims.exp))
end

local function judge(handle, wanted, tells)
  local verified = handle:streamInfo():dynamicMetadata():get("envoy.filters.http.jwt_authn") or {}
  for issuer, rules in pairs(handle:metadata():get("issuers")) do
    local header, claims = verified[issuer .. ".header"], verified[issuer .. ".claims"]
    if header ~= nil and claims ~= nil then
      local typ = header.typ:lower():gsub("^application/", "")
      if not rules.algorithms[header.alg] or typ ~= rules.token_type then return "401", INVALID end
      if header.crit ~= nil then return "401", INVALID end  -- we understand no extension (RFC 7515 §4.1.11)
      if not is_name(header.kid) or #header.kid > 128 then return "401", INVALID end
      if not is_canonical(handle:headers():get("authorization")) then return "401", INVALID end
      if not is_whole(claims) or claims.iat > os.time() + rules.skew then return "401", INVALID end
      local held = " " .. (type(claims.scope) == "string" and claims.scope or "") .. " "
      for _, scope in ipairs(wanted) do
        if not held:find(" " .. scope .. " ", 1, true) then return "403", "The access token lacks a scope." end
      end
      for name, values in pairs(handle:metadata():get("claims")) do
        local mine, found = claims[name], false
        for _, value in pairs(type(mine) == "table" and mine or {mine}) do found = found or values[tostring(value)] end
        if not found then return "403", "The access token lacks a claim." end
      end
      local metadata = handle:streamInfo():dynamicMetadata()
      metadata:set("frontage.identity", "subject", issuer .. " " .. claims.sub)
      metadata:set("frontage.identity", "client", issuer .. " " .. claims.client_id)
      if tells then tell(handle:headers(), claims) end
      return "pass"
    end
  end
end

-- What a token says does not change: judged once under each set of rules. Whether it is expired, Envoy asks each time.
local MOST = 4096
local passed, count = {}, 0

local function remember(key, identity)
  if count >= MOST then passed, count = {}, 0 end
  passed[key], count = {identity.subject, identity.client}, count + 1
end

function envoy_on_request(handle)
  local rules = handle:metadata():get("rules")
  if rules == nil then return end  -- a route without auth
  local key = rules .. (handle:headers():get("authorization") or "")
  local who, metadata = passed[key], handle:streamInfo():dynamicMetadata()
  if who ~= nil then
    metadata:set("frontage.identity", "subject", who[1])
    metadata:set("frontage.identity", "client", who[2])
    return
  end
  local tells = handle:metadata():get("plain")
  local sound, verdict, detail = pcall(judge, handle, handle:metadata():get("scopes"), tells)
  if sound and verdict == "pass" then
    if not tells then remember(key, metadata:get("frontage.identity")) end
    return
  end
  if not sound or verdict == nil then verdict, detail = "401", INVALID end
  handle:respond({[":status"] = verdict}, detail)
end
"""

# Step 2, for what was judged by the control service: whose it is, where the limits look for it.
CALLER: Final = r"""
function envoy_on_request(handle)
  if handle:metadata():get("asked") == nil then return end
  local metadata = handle:streamInfo():dynamicMetadata()
  local said = metadata:get("envoy.filters.http.ext_authz") or {}
  for _, part in ipairs({"subject", "client"}) do
    if type(said[part]) == "string" then metadata:set("frontage.identity", part, said[part]) end
  end
end
"""

-- needs: clock bucket
-- renew: may permits that were not used at once still be used?
--
-- A call that leaves long after its permit meets a provider whose own allowance was full meanwhile: what flowed in then
-- was lost, and other permits have been given since. So a late permit takes its units anew, and gets none back: the
-- units it took at first count as spent. What it may not take it may not use.
--
-- Where the bucket was nearly empty all the time the provider's cannot have been full: what lay unused were the calls
-- of half a second at most, and nothing was lost. There a permit of that age takes nothing anew.
--
-- KEYS  1 the root of all names: keys are made from the records, and all share its hash tag
--       2 permits (hash)
-- ARGV  1 now    seconds; "" to use the server's clock
--       2 old    seconds; a permit that is older takes everything anew
--       3 number of permits, then per permit: its id, its age in seconds, 1 where anybody knows the request limit (else
--         0: no request is taken anew), number of breakers, then per breaker: scope, epoch of the permit
--
-- RETURNS  per permit: "" it may be used now, else why not:
--          gone      nobody knows it any more: Redis was lost, or it was released
--          slots     its slot ran out, and may be another's
--          breaker   a breaker of its route moved since, or its probe is another's
--          bucket    its units are others' now, or its bucket rests
-- ERRORS   "RENEW <argument>: expected …, got …"
--
-- Cost O(permits).

local root, now = KEYS[1], clock(ARGV[1])
local now_ms = now * 1000
local old = tonumber(ARGV[2])
if not old then error("RENEW old: expected seconds, got " .. tostring(ARGV[2])) end
local buckets, answers = {}, {}
local following = following_from(3, "RENEW")

local function moved(scopes, permit, probing)
    for scope, epoch in pairs(scopes) do
        if (redis.call("HGET", root .. "breaker:" .. scope, "epoch") or epoch) ~= epoch then return true end
    end
    for breaker in string.gmatch(probing, "[^\t]+") do
        if redis.call("HGET", breaker, "probe") ~= permit then return true end
    end
    return false
end

local function renewed(permit, age, limited, scopes)
    local record = redis.call("HGET", KEYS[2], permit)
    if not record then return "gone" end
    local id, lane, route, name, requests, input, output, probing =
        string.match(record, "^([^\t]*)\t([^\t]*)\t([^\t]*)\t([^\t]*)\t([^\t]*)\t([^\t]*)\t([^\t]*)\t(.*)$")
    if not id then return "gone" end
    if not redis.call("ZSCORE", root .. "slots:" .. route, permit) then return "slots" end
    if moved(scopes, permit, probing) then return "breaker" end
    local key = root .. "bucket:" .. name
    local bucket = buckets[key] or bucket_read(key, now_ms, {}, false)
    buckets[key] = bucket
    local costs = {tonumber(requests) or 0, tonumber(input) or 0, tonumber(output) or 0}
    for i = 1, 3 do
        if age <= old and not bucket_was_high(bucket, i, 2000 * old) then costs[i] = 0 end
    end
    if limited == "0" then costs[1] = 0 end
    local rest = bucket.paused_until
    if bucket.ask_after > 0 then bucket.paused_until = 0 end -- it rests because this very permit asks
    local wait = bucket_wait(bucket, costs)
    bucket.paused_until = rest
    if wait > 0 then return "bucket" end
    for i = 1, 3 do bucket_add(bucket, i, -costs[i]) end
    bucket.changed = true
    return ""
end

for i = 1, whole(following(), "RENEW", "permits") do
    local permit, age, limited, scopes = following(), tonumber(following()) or old + 1, following(), {}
    for _ = 1, whole(following(), "RENEW", "breakers") do
        local scope = following()
        scopes[scope] = following()
    end
    answers[i] = renewed(permit, age, limited, scopes)
end
for _, bucket in pairs(buckets) do
    if bucket.changed and bucket.known then bucket_write(bucket) end
end
return answers

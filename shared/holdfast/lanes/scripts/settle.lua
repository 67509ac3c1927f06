-- needs: clock bucket rank breaker
-- settle: give back what permits took, charge real usage, acknowledge, put rerouted jobs back in order, move breakers.
--
-- The record of a permit tells what was taken; it is deleted with it, so settling twice gives back once. A permit
-- without a record (settled, released, or from before Redis was lost) gives back its slot alone and is no error.
--
-- KEYS  1 the root of all names: keys are made from the records, and all share its hash tag
--       2 permits (hash)
-- ARGV  1 now, seconds; "" to use the server's clock        2 worker
--       3 number of calls, then per call:
--           permit, route
--           how       real    the call was made: charge input and output as given
--                     back    it failed: tokens come back, the request stays spent
--                     keep    nobody knows what it used: everything stays spent
--                     drop    it was never made: everything comes back
--           input, output     units used                    (for real)
--           pause             seconds that its bucket must rest; 0 none; below 0: a reply came
--       then number of jobs that go back into their lane, nearest deadline first, then oldest; then per job: lane, id,
--       message, need
--       then number of breakers that recorded something, then per breaker: scope, expected version, number of texts,
--       then the texts: field, value, field, value …; none when nothing changes
--       then number of targets that replied, then per target: name, when its call was sent, when the reply came
--       then number of calls that failed, then per call: target, job, when it was sent
--
-- RETURNS  {now, settled, conflicts, taken}
--          now        seconds as text
--          settled    number of permits that had a record
--          conflicts  {scope, version, {field, value …}} for each breaker that had another version
--          taken      bucket name, permits ever given from it, bucket name … of the buckets of these calls
-- ERRORS   "SETTLE <argument>: expected …, got …"; "GARBAGE in <key>": purge, and ask again
--
-- Cost O(calls + jobs + breakers + targets).

local root, now, worker = KEYS[1], clock(ARGV[1]), ARGV[2]
local now_ms = now * 1000
local HOW = {real = true, back = true, keep = true, drop = true}
local following = following_from(3, "SETTLE")

redis.call("ZADD", root .. "lane:__heartbeats__", math.floor(now * 1000), worker)
local fresh = string.sub(redis.call("GET", root .. "epoch") or "", 1, 6) == "fresh:"

-- Breakers first: a route that just failed must not admit one more call than needed.
local calls, back = {}, {}
for i = 1, whole(following(), "SETTLE", "calls") do
    calls[i] = {permit = following(), route = following(), how = following(), input = tonumber(following()) or 0,
        output = tonumber(following()) or 0, pause = tonumber(following()) or 0}
    if not HOW[calls[i].how] then
        error("SETTLE how: expected real, back, keep or drop, got " .. calls[i].how)
    end
end
for i = 1, whole(following(), "SETTLE", "jobs") do
    back[i] = {lane = following(), id = following(), message = following(), need = following()}
end

local conflicts, hint = {}, false
for i = 1, whole(following(), "SETTLE", "breakers") do
    local scope, expected = following(), following()
    local key, fields = root .. "breaker:" .. scope, {}
    for j = 1, whole(following(), "SETTLE", "fields") do fields[j] = following() end
    local version = breaker_version(key)
    if version ~= expected then
        conflicts[#conflicts + 1] = {scope, version, redis.call("HGETALL", key)}
    elseif #fields > 0 and (version ~= "0" or (fresh and redis.call("SISMEMBER", root .. "index", key) == 0)) then
        -- (a breaker lost with Redis stays lost: the next call is a probe, whatever this answer said)
        local old = redis.call("HGET", key, "epoch")
        breaker_replace(key, root .. "index", version, fields)
        hint = hint or old ~= redis.call("HGET", key, "epoch")
    end
end

-- Then what the permits took.
local buckets, taken, gone, settled = {}, {}, {}, 0
for _, call in ipairs(calls) do
    redis.call("ZREM", root .. "slots:" .. call.route, call.permit)
    local record = redis.call("HGET", KEYS[2], call.permit)
    local id, lane, _, name, requests, input, output = string.match(record or "",
        "^([^\t]*)\t([^\t]*)\t([^\t]*)\t([^\t]*)\t([^\t]*)\t([^\t]*)\t([^\t]*)\t")
    if id then
        redis.call("HDEL", KEYS[2], call.permit)
        settled = settled + 1
        local key = root .. "bucket:" .. name
        local bucket = buckets[key] or bucket_read(key, now_ms, {}, false)
        buckets[key] = bucket
        if call.how == "drop" then
            bucket_add(bucket, 1, tonumber(requests))
            bucket.taken = bucket.taken - 1 -- what never left tells nothing of what the provider lets through
        end
        if call.how ~= "keep" then
            bucket_add(bucket, 2, tonumber(input) - (call.how == "real" and call.input or 0))
            bucket_add(bucket, 3, tonumber(output) - (call.how == "real" and call.output or 0))
        end
        if call.pause > 0 then bucket_rest(bucket, call.pause) end
        if call.pause < 0 then bucket_replied(bucket) end
        if lane ~= "" then -- a second permit of its job has none: the first one acknowledges
            gone[lane] = gone[lane] or {}
            gone[lane][#gone[lane] + 1] = id
        end
    end
end
for _, bucket in pairs(buckets) do
    if bucket.changed and bucket.known then bucket_write(bucket) end
    taken[#taken + 1], taken[#taken + 2] = string.sub(bucket.key, #root + #"bucket:" + 1), bucket.taken
end

for lane, ids in pairs(gone) do
    local name = root .. "lane:" .. lane
    redis.call("SREM", root .. "lane:__acks__." .. worker .. "." .. lane, unpack(ids))
    redis.call("HDEL", name .. ".msgs", unpack(ids))
    redis.call("HDEL", name .. ".need", unpack(ids))
end
local returning = {}
for _, job in ipairs(back) do
    local name = root .. "lane:" .. job.lane
    if redis.call("HSETNX", name .. ".msgs", job.id, job.message) == 1 then
        redis.call("HSET", name .. ".need", job.id, job.need)
        returning[job.lane] = returning[job.lane] or {}
        table.insert(returning[job.lane], {id = job.id, due = due_of(job.need)})
    end
end
for lane, jobs in pairs(returning) do
    rank_place(root .. "lane:" .. lane, root .. "lane:" .. lane .. ".need", jobs)
    redis.call("SADD", root .. "lanes", lane)
    hint = true
end

-- What comparison goes by: lanes/evidence.py. Last, for whatever lies there must keep no job from its lane.
local MEMORY, MOST = 600, 500 -- seconds and jobs
for i = 1, whole(following(), "SETTLE", "replies") do
    local target, sent, came = following(), tonumber(following()), tonumber(following())
    local known = redis.call("HGET", root .. "replies", target) or ""
    local known_sent, known_came = string.match(known, "^(%S+) (%S+)$")
    sent, came = math.max(sent, tonumber(known_sent) or 0), math.max(came, tonumber(known_came) or 0)
    redis.call("HSET", root .. "replies", target, exact(sent) .. " " .. exact(came))
end
for i = 1, whole(following(), "SETTLE", "failures") do
    local key, job, sent = root .. "failing:" .. following(), following(), following()
    redis.call("ZREMRANGEBYSCORE", key, "-inf", exact(now - MEMORY))
    redis.call("ZADD", key, "NX", sent, job)
    redis.call("ZREMRANGEBYRANK", key, 0, -MOST - 1)
    redis.call("PEXPIRE", key, MEMORY * 1000)
end

if hint then redis.call("PUBLISH", root .. "wake", "") end
return {exact(now), settled, conflicts, taken}

-- needs: clock
-- release: free what a worker holds and will not settle: slots, probes, messages. Its units are not given back.
--
-- The messages are dropped, not put back: SQL knows whether their jobs may start again, and offers them.
--
-- KEYS  1 the root of all names: keys are made from the records, and all share its hash tag
--       2 permits (hash)
-- ARGV  1 now, seconds; "" to use the server's clock
--       2 worker
--       3 prefix   only permits of this fetch; "" all of them, and the worker's heartbeat
--
-- RETURNS  the number of permits released
--
-- Cost O(permits of the worker + lanes).

local root, now, worker, prefix = KEYS[1], clock(ARGV[1]), ARGV[2], ARGV[3]
local released, freed = 0, false

local function drop(lane, id)
    local name = root .. "lane:" .. lane
    if redis.call("SREM", root .. "lane:__acks__." .. worker .. "." .. lane, id) == 1 then
        redis.call("HDEL", name .. ".msgs", id)
        redis.call("HDEL", name .. ".need", id)
    end
end

local records = redis.call("HGETALL", KEYS[2])
for i = 1, #records, 2 do
    local permit = records[i]
    if prefix == "" or string.sub(permit, 1, #prefix + 1) == prefix .. ":" then
        local id, lane, route, probing =
            string.match(records[i + 1], "^([^\t]*)\t([^\t]*)\t([^\t]*)\t[^\t]*\t[^\t]*\t[^\t]*\t[^\t]*\t(.*)$")
        redis.call("HDEL", KEYS[2], permit)
        if id then
            redis.call("ZREM", root .. "slots:" .. route, permit)
            drop(lane, id)
            for breaker in string.gmatch(probing, "[^\t]+") do
                if redis.call("HGET", breaker, "probe") == permit then
                    redis.call("HSET", breaker, "until", exact(now))
                    redis.call("HINCRBY", breaker, "version", 1)
                    freed = true
                end
            end
        end
        released = released + 1
    end
end

if prefix == "" then
    for _, lane in ipairs(redis.call("SMEMBERS", root .. "lanes")) do
        local acks = root .. "lane:__acks__." .. worker .. "." .. lane
        for _, id in ipairs(redis.call("SMEMBERS", acks)) do drop(lane, id) end
    end
    redis.call("ZREM", root .. "lane:__heartbeats__", worker)
end
if freed then redis.call("PUBLISH", root .. "wake", "") end
return released

-- needs: clock
-- release: free what a worker holds and will not settle: slots, probes, messages. Its units are not given back.
--
-- The messages are dropped, not put back: SQL knows whether their jobs may start again, and offers them.
--
-- KEYS  1 the root of all names: keys are made from the records, and all share its hash tag
--       2 permits (hash)
-- ARGV  1 now     seconds; "" to use the server's clock
--       2 worker  its id
--       3 which   all     everything, and the worker's heartbeat
--                 fetch   permits of one fetch; ARGV 4 is its prefix
--                 jobs    permits and messages of the jobs from ARGV 4 on
--
-- RETURNS  the number of permits released
-- ERRORS   "RELEASE which: expected all, fetch or jobs, got …"
--
-- Cost O(permits of the worker + lanes * jobs).

local root, now, worker, which = KEYS[1], clock(ARGV[1]), ARGV[2], ARGV[3]
local released, freed = 0, false
local wanted = {}
for i = 4, #ARGV do wanted[ARGV[i]] = true end
if which ~= "all" and which ~= "fetch" and which ~= "jobs" then
    error("RELEASE which: expected all, fetch or jobs, got " .. tostring(which))
end

local function chosen(permit, id)
    return which == "all" or (which == "fetch" and wanted[string.match(permit, "^(.*):%d+$")]) or (which == "jobs" and wanted[id])
end

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
    local id, lane, route, probing =
        string.match(records[i + 1], "^([^\t]*)\t([^\t]*)\t([^\t]*)\t[^\t]*\t[^\t]*\t[^\t]*\t[^\t]*\t(.*)$")
    if not id then
        redis.call("HDEL", KEYS[2], permit) -- nothing we wrote
    elseif chosen(permit, id) then
        redis.call("HDEL", KEYS[2], permit)
        redis.call("ZREM", root .. "slots:" .. route, permit)
        drop(lane, id)
        for breaker in string.gmatch(probing, "[^\t]+") do
            if redis.call("HGET", breaker, "probe") == permit then
                redis.call("HSET", breaker, "until", exact(now))
                redis.call("HINCRBY", breaker, "version", 1)
                freed = true
            end
        end
        released = released + 1
    end
end

if which ~= "fetch" then
    for _, lane in ipairs(redis.call("SMEMBERS", root .. "lanes")) do
        local ids = {}
        if which == "all" then
            ids = redis.call("SMEMBERS", root .. "lane:__acks__." .. worker .. "." .. lane)
        else
            for i = 4, #ARGV do ids[#ids + 1] = ARGV[i] end
        end
        for _, id in ipairs(ids) do drop(lane, id) end
    end
end
if which == "all" then redis.call("ZREM", root .. "lane:__heartbeats__", worker) end
if freed then redis.call("PUBLISH", root .. "wake", "") end
return released

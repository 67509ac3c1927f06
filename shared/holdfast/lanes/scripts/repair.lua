-- repair: forget messages of a lane that nobody will ever fetch or acknowledge, so that their jobs can be offered again.
--
-- A message is such when its id waits in no list and is in no known worker's hands. Needs without a message go too.
--
-- KEYS  1 lane (list), 2 messages (hash), 3 need (hash), 4 heartbeats (zset)
-- ARGV  1 lane   its name
--       2 acks   what the acks of a worker begin with; worker and lane follow
--
-- RETURNS  the number of messages forgotten
--
-- Cost O(window of the lane + workers).

local known = {}
for _, id in ipairs(redis.call("LRANGE", KEYS[1], 0, -1)) do known[id] = true end
for _, worker in ipairs(redis.call("ZRANGE", KEYS[4], 0, -1)) do
    for _, id in ipairs(redis.call("SMEMBERS", ARGV[2] .. worker .. "." .. ARGV[1])) do known[id] = true end
end
local forgotten = 0
for _, id in ipairs(redis.call("HKEYS", KEYS[2])) do
    if not known[id] then
        redis.call("HDEL", KEYS[2], id)
        forgotten = forgotten + 1
    end
end
for _, id in ipairs(redis.call("HKEYS", KEYS[3])) do
    if redis.call("HEXISTS", KEYS[2], id) == 0 then redis.call("HDEL", KEYS[3], id) end
end
return forgotten

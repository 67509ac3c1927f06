-- needs: clock
-- offer: put jobs into a lane's window, each at most once.
--
-- KEYS  1 lane (list), 2 messages (hash), 3 need (hash), 4 names (set of lanes), 5 refill (string)
-- ARGV  1 lane     its name
--       2 window   ids that the lane may hold; not asked for at the front      >= 0
--       3 front    "1": at the head, in the order given; "0": at the end
--       4 channel  where to publish a hint
--       then per job: id, dramatiq message, need
--
-- RETURNS  the number of jobs added
-- ERRORS   "OFFER <argument>: expected …, got …"
--
-- Cost O(jobs).

local window, front = whole(ARGV[2], "OFFER", "window"), ARGV[3] == "1"
if (#ARGV - 4) % 3 ~= 0 then
    error("OFFER jobs: expected id, message and need for each, got " .. (#ARGV - 4) .. " arguments")
end
local before = redis.call("LLEN", KEYS[1])
local added = {}
for i = 5, #ARGV, 3 do
    if not front and before + #added >= window then break end
    if redis.call("HSETNX", KEYS[2], ARGV[i], ARGV[i + 1]) == 1 then
        redis.call("HSET", KEYS[3], ARGV[i], ARGV[i + 2])
        added[#added + 1] = ARGV[i]
    end
end
if #added == 0 then return 0 end
redis.call("DEL", KEYS[5])
if front then
    local reversed = {}
    for i = #added, 1, -1 do reversed[#reversed + 1] = added[i] end
    redis.call("LPUSH", KEYS[1], unpack(reversed))
else
    redis.call("RPUSH", KEYS[1], unpack(added))
end
redis.call("SADD", KEYS[4], ARGV[1])
if before == 0 or front then redis.call("PUBLISH", ARGV[4], ARGV[1]) end
return #added

-- needs: clock
-- offer: put jobs into a lane's window, each at most once.
--
-- A producer's jobs are the youngest. Once some did not fit, older ones than the next wait in SQL: until a refill has
-- brought all of those, producers' offers are turned away, or a steady stream of new jobs would keep the window full and
-- the backlog out of it for ever.
--
-- KEYS  1 lane (list), 2 messages (hash), 3 need (hash), 4 names (set of lanes), 5 refill (string), 6 behind (string)
-- ARGV  1 lane     its name
--       2 window   ids that the lane may hold; not asked for at the front      >= 0
--       3 place    "front": at the head, in the order given; "end": at the end, a producer's; "more", "all": at the
--                  end, the oldest of the backlog, when there is more of it, or when that was all
--       4 channel  where to publish a hint
--       then per job: id, dramatiq message, need
--
-- RETURNS  the number of jobs added
-- ERRORS   "OFFER <argument>: expected …, got …"
--
-- Cost O(jobs).

local window, place = whole(ARGV[2], "OFFER", "window"), ARGV[3]
local front = place == "front"
if place == "end" and redis.call("EXISTS", KEYS[6]) == 1 then return 0 end
if (#ARGV - 4) % 3 ~= 0 then
    error("OFFER jobs: expected id, message and need for each, got " .. (#ARGV - 4) .. " arguments")
end
local before = redis.call("LLEN", KEYS[1])
local added, fits = {}, true
for i = 5, #ARGV, 3 do
    if not front and before + #added >= window then
        fits = false
        break
    end
    if redis.call("HSETNX", KEYS[2], ARGV[i], ARGV[i + 1]) == 1 then
        redis.call("HSET", KEYS[3], ARGV[i], ARGV[i + 2])
        added[#added + 1] = ARGV[i]
    end
end
if place == "all" and fits then
    redis.call("DEL", KEYS[6])
elseif place == "more" or not fits then
    redis.call("SET", KEYS[6], "1")
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

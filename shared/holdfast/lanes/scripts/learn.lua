-- needs: clock bucket
-- learn: set what was learned about a bucket, if nobody learned something else meanwhile.
--
-- KEYS  1 bucket (hash)
-- ARGV  1 now      seconds; "" to use the server's clock
--       2 expected learn.version; "0" where nothing was learned yet
--       3 level    requests to set the level to; "" leaves it
--       then field, value, field, value …
--
-- RETURNS  {} done, else all fields of the bucket, field and value in turn
-- ERRORS   "LEARN fields: expected field and value in turn, got …"; "GARBAGE in <key>"

if (#ARGV - 3) % 2 ~= 0 then
    error("LEARN fields: expected field and value in turn, got " .. (#ARGV - 3))
end
local now_ms = clock(ARGV[1]) * 1000
if redis.call("EXISTS", KEYS[1]) == 0 then
    return {} -- lost with Redis, and what we know with it: the next fetch starts it anew
end
local version = redis.call("HGET", KEYS[1], "learn.version") or "0"
if not tonumber(version) then error("GARBAGE in " .. KEYS[1]) end
if version ~= ARGV[2] then
    return redis.call("HGETALL", KEYS[1])
end

-- What flowed in until now came at the old rate.
local before = bucket_read(KEYS[1], now_ms, {}, true)
for i = 4, #ARGV, 2 do redis.call("HSET", KEYS[1], ARGV[i], ARGV[i + 1]) end
redis.call("HINCRBY", KEYS[1], "learn.version", 1)
local after = bucket_read(KEYS[1], now_ms, {}, true)
for i = 1, 3 do
    if after.per_ms[i] then after.level[i] = math.min(after.capacity[i], before.level[i] or after.capacity[i]) end
end
if ARGV[3] ~= "" and after.per_ms[1] then
    after.level[1] = math.min(after.capacity[1], tonumber(ARGV[3]) or 0)
end
bucket_write(after)
return {}

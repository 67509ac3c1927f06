-- compare_and_set: replace a breaker, if nobody moved it meanwhile. The operator's way; verdicts travel with settle.
--
-- KEYS  1 breaker (hash), 2 index (set)
-- ARGV  1 expected version; "0" where there is none
--       2 channel to publish a hint on
--       then field, value, field, value …
--
-- RETURNS  1 done, 0 another version is there
-- ERRORS   "COMPARE_AND_SET fields: expected field and value in turn, got …"

if #ARGV < 4 or #ARGV % 2 ~= 0 then
    error("COMPARE_AND_SET fields: expected field and value in turn, got " .. (#ARGV - 2))
end
local version = redis.call("HGET", KEYS[1], "version") or "0"
if version ~= ARGV[1] then return 0 end
local fields = {}
for i = 3, #ARGV do fields[i - 2] = ARGV[i] end
redis.call("DEL", KEYS[1])
redis.call("HSET", KEYS[1], "version", string.format("%d", tonumber(version) + 1), unpack(fields))
redis.call("SADD", KEYS[2], KEYS[1])
redis.call("PUBLISH", ARGV[2], "")
return 1

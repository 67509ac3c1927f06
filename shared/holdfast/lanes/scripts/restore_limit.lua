-- restore_limit: begin a bucket with what an earlier run learned, unless it is there already.
--
-- KEYS  1 bucket (hash), 2 index (set)
-- ARGV  field, value, field, value …
--
-- RETURNS  1 done; 0 it was there, and nothing was changed

if redis.call("EXISTS", KEYS[1]) == 1 then return 0 end
redis.call("HSET", KEYS[1], unpack(ARGV))
redis.call("SADD", KEYS[2], KEYS[1])
return 1

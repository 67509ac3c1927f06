-- needs: clock bucket
-- rest: let a bucket give nothing from the moment on that a call of it was refused. Settling the call says so again, but
-- that waits until SQL knows how the call ended.
--
-- KEYS  1 bucket (hash)
-- ARGV  1 now      seconds; "" to use the server's clock
--       2 seconds  that the bucket must rest
--
-- RETURNS  1, or 0 where the bucket is not known: it was lost with Redis
-- ERRORS   "REST seconds: expected a number, got …"; "GARBAGE in <key>"

local seconds = tonumber(ARGV[2])
if not seconds then error("REST seconds: expected a number, got " .. tostring(ARGV[2])) end
local bucket = bucket_read(KEYS[1], clock(ARGV[1]) * 1000, {}, false)
if not bucket.known then return 0 end
bucket_rest(bucket, seconds)
bucket_write(bucket)
return 1

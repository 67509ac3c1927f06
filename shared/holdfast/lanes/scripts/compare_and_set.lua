-- needs: breaker
-- compare_and_set: replace a breaker, if nobody moved it meanwhile. The operator's way; signals travel with settle.
--
-- KEYS  1 breaker (hash), 2 index (set)
-- ARGV  1 expected version; "0" where there is none
--       2 channel to publish a hint on
--       then field, value, field, value …
--
-- RETURNS  1 done, 0 another version is there
-- ERRORS   "COMPARE_AND_SET fields: expected field and value in turn, got …"; "GARBAGE in <key>"

if #ARGV < 4 or #ARGV % 2 ~= 0 then
    error("COMPARE_AND_SET fields: expected field and value in turn, got " .. (#ARGV - 2))
end
local version = breaker_version(KEYS[1])
if version ~= ARGV[1] then return 0 end
breaker_replace(KEYS[1], KEYS[2], version, {unpack(ARGV, 3)})
redis.call("PUBLISH", ARGV[2], "")
return 1

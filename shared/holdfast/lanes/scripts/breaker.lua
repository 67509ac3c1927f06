-- breaker: compare-and-set of a breaker's hash, the one way in which it is replaced.
--
-- breaker_version(key)                   what is compared: "0" where there is none, an error where it is garbage
-- breaker_replace(key, index, version, fields)   put fields in its place, under the next version
--
-- Only a probe's lease is written field by field, by fetch and release; that makes a new version too.

local function breaker_version(key)
    local version = redis.call("HGET", key, "version") or "0"
    if not tonumber(version) then error("GARBAGE in " .. key) end
    return version
end

local function breaker_replace(key, index, version, fields)
    redis.call("DEL", key)
    redis.call("HSET", key, "version", string.format("%d", tonumber(version) + 1), unpack(fields))
    redis.call("SADD", index, key)
end

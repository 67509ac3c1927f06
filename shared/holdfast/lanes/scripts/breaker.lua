-- breaker: compare-and-set of a breaker's hash. Only a probe's lease is written otherwise, by fetch and release.
--
-- breaker_version(key)                          what is compared: "0" where there is none, an error for garbage
-- breaker_replace(key, index, version, fields)  put fields in its place, under the next version

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

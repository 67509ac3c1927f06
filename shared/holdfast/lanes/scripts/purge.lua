-- needs: clock
-- purge: delete keys of ours that hold something of another type, or nothing we could have written; restore what can be.
--
-- Somebody else wrote there. Every script that meets such a key fails, for ever. What is deleted is rebuilt from what
-- is left where that can be done: the index, the lanes' names, who works, which slots are taken. Windows are filled
-- from SQL, a bucket of the index that is not there starts empty. What operators forced and what breakers knew can come
-- from SQL and from probes alone: then Redis counts as lost (its epoch goes too), and everybody begins with care.
--
-- KEYS  1 the root of all names
--       2.. names of ours that exist
-- ARGV  1 now    seconds; "" to use the server's clock
--       2.. the type that each name's key must have
--
-- RETURNS  the names of the keys that were deleted
--
-- Cost O(keys + permits).

local root, now = KEYS[1], clock(ARGV[1])
local deleted, gone, lost = {}, {}, false
local NUMBERS = {
    ["breaker:"] = {"version", "epoch", "until"},
    ["bucket:"] = {"taken", "paused_until", "learn.version", "requests.level", "requests.at", "requests.per_ms",
        "requests.capacity", "input_tokens.level", "input_tokens.at", "input_tokens.per_ms", "input_tokens.capacity",
        "output_tokens.level", "output_tokens.at", "output_tokens.per_ms", "output_tokens.capacity"},
}

local function after(key, prefix)
    local whole = root .. prefix
    if string.sub(key, 1, #whole) == whole then return string.sub(key, #whole + 1) end
end

local function is_readable(key)
    for prefix, fields in pairs(NUMBERS) do
        if after(key, prefix) then
            for _, value in ipairs(redis.call("HMGET", key, unpack(fields))) do
                if value and value ~= "" and not tonumber(value) then return false end
            end
        end
    end
    return true
end

for i = 2, #KEYS do
    local key = KEYS[i]
    local kind = redis.call("TYPE", key).ok
    if kind ~= "none" and (kind ~= ARGV[i] or not is_readable(key)) then
        redis.call("DEL", key)
        deleted[#deleted + 1], gone[key] = key, true
        lost = lost or key == root .. "paused" or after(key, "breaker:") ~= nil
    end
end
if #deleted == 0 then return deleted end
if lost then redis.call("DEL", root .. "epoch") end

-- Who works, and which slots are taken: the permits tell. A slot comes back when its call is settled, or with them.
local function restore_worker(worker)
    redis.call("ZADD", root .. "lane:__heartbeats__", "NX", math.floor(now * 1000), worker)
end

local function restore_slots(key)
    local expiry = exact(now + math.max(60, redis.call("PTTL", key) / 1000))
    local records = redis.call("HGETALL", key)
    for i = 1, #records, 2 do
        local route = string.match(records[i + 1], "^[^\t]*\t[^\t]*\t([^\t]*)\t")
        if not route then
            redis.call("HDEL", key, records[i])
        elseif gone[root .. "slots:" .. route] then
            redis.call("ZADD", root .. "slots:" .. route, expiry, records[i])
            redis.call("SADD", root .. "index", root .. "slots:" .. route)
        end
    end
end

for i = 2, #KEYS do
    local key = KEYS[i]
    if not gone[key] then
        local worker = after(key, "permits:")
        local held = after(key, "lane:__acks__.")
        local lane = after(key, "lane:")
        if worker then
            restore_worker(worker)
            restore_slots(key)
        elseif held then
            restore_worker(string.match(held, "^[^.]*"))
        elseif lane and string.sub(lane, -5) == ".msgs" then
            redis.call("SADD", root .. "lanes", string.sub(lane, 1, -6))
        elseif after(key, "breaker:") or after(key, "bucket:") or after(key, "slots:") then
            redis.call("SADD", root .. "index", key)
        end
    elseif after(key, "bucket:") then
        redis.call("SADD", root .. "index", key) -- so that it starts empty
    end
end
redis.call("PUBLISH", root .. "wake", "")
return deleted

-- needs: clock
-- detect_restart: run before any other script by whoever finds a server that does not know them: one that started since.
--
-- It may be a new server, one that read its data back, or a replica that took over. What it read back may be seconds
-- old, and older levels are higher ones: so under another run id than the noted one no bucket keeps what it holds.
--
-- KEYS  1 the root of all names: keys are made from the index, and all share its hash tag
-- ARGV  1 now   seconds; "" to use the server's clock
--
-- RETURNS  the number of buckets emptied
--
-- Cost O(buckets). Where a server does not tell its run id nothing is emptied.

local root, now_ms = KEYS[1], clock(ARGV[1]) * 1000
local info = redis.pcall("INFO", "server")
local run = type(info) == "string" and string.match(info, "run_id:(%w+)") or "unknown"
local noted = redis.call("GET", root .. "server")
if noted == run then return 0 end
redis.call("SET", root .. "server", run)
if not noted and redis.call("EXISTS", root .. "epoch") == 0 then return 0 end -- it is new

local emptied, prefix = 0, root .. "bucket:"
for _, key in ipairs(redis.call("SMEMBERS", root .. "index")) do
    if string.sub(key, 1, #prefix) == prefix and redis.call("EXISTS", key) == 1 then
        for _, each in ipairs({"requests", "input_tokens", "output_tokens"}) do
            local level = tonumber(redis.call("HGET", key, each .. ".level") or "")
            if level then redis.call("HSET", key, each .. ".level", exact(math.min(0, level)), each .. ".at", exact(now_ms)) end
        end
        emptied = emptied + 1
    end
end
return emptied

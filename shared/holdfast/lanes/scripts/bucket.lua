-- bucket: the arithmetic of rate allowances. policy/rate_limit.py is the oracle, and describes the hash.
--
-- bucket_read(key, now_ms, given, full)  the bucket, refilled to now. given = {per_ms, capacity, …} for requests, input
--                                        and output tokens, false where the settings leave it open; D.told caps it. A
--                                        level that is not known is full when full is true, else 0
-- bucket_begin(bucket, per_ms, capacity, level)  start learning where no request rate is known
-- bucket_wait(bucket, costs)             0, or milliseconds until no pause is left and every dimension holds
--                                        min(cost, capacity)
-- bucket_left(bucket)                    share of the capacity that is left, of the dimension with the least of it
-- bucket_add(bucket, i, units)           put units into dimension i, up to its capacity; below 0 takes (debt allowed)
-- bucket_write(bucket)                   store it
-- bucket_rest(bucket, seconds)           give nothing for so long. A wait that is not believed: until one call asks
-- bucket_asks(bucket)                    a call leaves that asks whether such a wait is over: rest again, for longer
-- bucket_replied(bucket)                 a reply came: such a wait is over
-- bucket_was_high(bucket, i, ms)         whether dimension i held more than HIGH of its capacity within the last ms
--
-- A clock that went back lets nothing flow in, but does not stop the flow until it has caught up.

local DIMENSIONS = {"requests", "input_tokens", "output_tokens"}
-- see policy/rate_limit.py
local HIGH = 0.4 -- of the capacity
local TRUSTED_PAUSE, FIRST_REST, LONGEST_REST = 600, 5, 600 -- seconds

local function bucket_read(key, now_ms, given, full)
    local raw = redis.call("HMGET", key, "paused_until", "taken",
        "requests.per_ms", "requests.capacity", "requests.level", "requests.at",
        "input_tokens.per_ms", "input_tokens.capacity", "input_tokens.level", "input_tokens.at",
        "output_tokens.per_ms", "output_tokens.capacity", "output_tokens.level", "output_tokens.at",
        "requests.told", "input_tokens.told", "output_tokens.told",
        "requests.high", "input_tokens.high", "output_tokens.high", "ask_after", "learn.stage")
    local bucket = {
        key = key, now_ms = now_ms, paused_until = tonumber(raw[1] or "") or 0, taken = tonumber(raw[2] or "") or 0,
        ask_after = tonumber(raw[21] or "") or 0,
        -- as rate_estimate.UPWARDS, and what nobody has learned anything of
        grows = not given[1] and (not raw[22] or raw[22] == "growing" or raw[22] == "restored"),
        known = raw[2] ~= false, changed = false, per_ms = {}, capacity = {}, level = {}, high = {},
    }
    for i = 1, 3 do
        local per_ms, capacity = tonumber(raw[4 * i - 1] or ""), tonumber(raw[4 * i] or "")
        local level, at = tonumber(raw[4 * i + 1] or ""), tonumber(raw[4 * i + 2] or "")
        if per_ms and capacity and level and at then
            level = math.min(capacity, level + math.max(0, now_ms - at) * per_ms)
        end
        bucket.changed = bucket.changed or (at ~= nil and at > now_ms)
        local wanted, holds, told = given[2 * i - 1], given[2 * i], tonumber(raw[14 + i] or "")
        if wanted and told and told < wanted then
            wanted, holds = told, math.max(1, told * 1000)
        end
        if wanted and (wanted ~= per_ms or holds ~= capacity) then
            per_ms, capacity = wanted, holds
            bucket.changed = true
        end
        if per_ms and capacity then
            bucket.per_ms[i], bucket.capacity[i] = per_ms, capacity
            bucket.level[i] = math.min(capacity, level or (full and capacity or 0))
            bucket.changed = bucket.changed or not level -- or it would never begin to fill
            local high = tonumber(raw[17 + i] or "") -- one that nobody noted may have been a moment ago
            bucket.high[i] = bucket.level[i] <= HIGH * capacity and high or now_ms
        end
    end
    return bucket
end

local function bucket_begin(bucket, per_ms, capacity, level)
    if not bucket.per_ms[1] then
        bucket.per_ms[1], bucket.capacity[1], bucket.level[1] = per_ms, capacity, level
        bucket.changed, bucket.began, bucket.began_taken = true, bucket.now_ms, bucket.taken
    end
end

local function bucket_wait(bucket, costs)
    local wait = math.max(0, bucket.paused_until - bucket.now_ms)
    for i = 1, 3 do
        if bucket.per_ms[i] then
            local missing = math.min(costs[i], bucket.capacity[i]) - bucket.level[i]
            if missing > 1e-9 then
                wait = math.max(wait, 1, math.ceil(missing / bucket.per_ms[i]))
            end
        end
    end
    return wait
end

local function bucket_left(bucket)
    local left = 1
    for i = 1, 3 do
        if bucket.per_ms[i] then left = math.min(left, bucket.level[i] / bucket.capacity[i]) end
    end
    return left
end

local function bucket_add(bucket, i, units)
    if bucket.per_ms[i] and units ~= 0 then
        bucket.level[i] = math.min(bucket.capacity[i], bucket.level[i] + units)
        bucket.changed = true
    end
end

local function bucket_rest(bucket, seconds)
    if seconds > TRUSTED_PAUSE then
        if bucket.ask_after == 0 then bucket.ask_after = FIRST_REST end
        seconds = bucket.ask_after
    end
    bucket.paused_until = math.max(bucket.paused_until, bucket.now_ms + seconds * 1000)
    bucket.changed = true
end

local function bucket_asks(bucket)
    if bucket.ask_after == 0 then return end
    bucket.ask_after = math.min(LONGEST_REST, 2 * bucket.ask_after)
    bucket.paused_until, bucket.changed = bucket.now_ms + bucket.ask_after * 1000, true
end

local function bucket_replied(bucket)
    if bucket.ask_after == 0 then return end
    bucket.ask_after, bucket.paused_until, bucket.changed = 0, 0, true
end

local function bucket_was_high(bucket, i, ms)
    return (bucket.high[i] or bucket.now_ms) > bucket.now_ms - ms
end

local function bucket_write(bucket)
    local fields = {"taken", string.format("%d", bucket.taken)}
    fields[3], fields[4] = "paused_until", exact(bucket.paused_until)
    fields[5], fields[6] = "ask_after", exact(bucket.ask_after)
    if bucket.began then
        fields[#fields + 1], fields[#fields + 2] = "learn.began", exact(bucket.began)
        fields[#fields + 1], fields[#fields + 2] = "learn.began_taken", string.format("%d", bucket.began_taken)
    end
    for i = 1, 3 do
        if bucket.per_ms[i] then
            local name, n = DIMENSIONS[i], #fields
            fields[n + 1], fields[n + 2] = name .. ".per_ms", exact(bucket.per_ms[i])
            fields[n + 3], fields[n + 4] = name .. ".capacity", exact(bucket.capacity[i])
            fields[n + 5], fields[n + 6] = name .. ".level", exact(bucket.level[i])
            fields[n + 7], fields[n + 8] = name .. ".at", exact(bucket.now_ms)
            fields[n + 9], fields[n + 10] = name .. ".high", exact(bucket.high[i] or bucket.now_ms)
        end
    end
    redis.call("HSET", bucket.key, unpack(fields))
end

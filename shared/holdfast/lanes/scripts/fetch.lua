-- needs: clock bucket
-- fetch: take up to n jobs from the head of a lane, each with a permit, or say why not.
--
-- A job gets the first target of its plan that admits it: three breakers' yes, units in the bucket, no pause, a free
-- slot, and a route that the job need not avoid. What admits nobody is not popped; jobs that are passed over keep
-- their order. Once a bucket is too low for one job, no later job of this fetch takes from it: small jobs must not
-- starve a large one. Where only a rate that nobody knows is in the way, a job waits for its turn before it takes the
-- plan's next route. Half-open breakers get exactly one probe: whoever is first after the cool-off gets its lease, but a
-- job whose probe failed before only where no other job of the window takes it.
-- A second permit for a job never probes, and its record names no lane: to settle it acknowledges nothing.
-- policy/admission.py is the oracle.
--
-- KEYS  1 epoch, 2 lane (list), 3 messages (hash), 4 need (hash), 5 acks (set), 6 permits (hash), 7 heartbeats (zset),
--       8 paused (set), 9 index (set), 10 refill (string)
--       then one hash per breaker, one hash per bucket, one zset per route's slots
-- ARGV  1 now      seconds; "" to use the server's clock (production always does)
--       2 lane     its name
--       3 worker   its id
--       4 n        permits wanted                                        1 .. 1000
--       5 look     jobs that may be passed over                          0 .. 1000
--       6 prefix   unique in the fleet; permit i is named prefix:i
--       7 low      ids in the window below which it is topped up         >= 0
--       8 held     "" or a job that its worker runs already: it gets a second permit, and its lane is left alone
--       9 need     of that job, as in the hash
--       10 max_wait  seconds that a job waits at most for a rate that grows    >= 0
--       11..14     number of breakers, buckets, routes, targets
--       then per bucket, for requests, input and output tokens: units per ms, capacity; "" where the settings name none;
--       then the rate, capacity and level of requests to start learning with; "" where they are configured
--       then per route: calls in flight allowed; "" no limit
--       then per target: route, bucket name, bucket number, route number, three breaker numbers, lease of the slot
--       and of a probe (seconds), joint ("1": output counts against input
--       tokens), output (most output tokens to reserve; "" all)
--
-- RETURNS  {reason, retry_in, left, low, now, epochs, jobs, targets, probes, needs, left_shares}
--          reason    "" when n permits were given, else empty, breaker, bucket, slots, paused, avoided, epoch
--          retry_in  seconds as text, "" when no time is known
--          epochs    one per breaker, as the permits hold them
--          jobs, targets   of permit 1..m; target numbers count from 1
--          probes    numbers of the permits that probe
--          needs     of permit 1..m, as they stand, for their signatures
--          left_shares    share of its bucket that permit 1..m left, in whole percent; below zero it is debt
-- ERRORS   "FETCH <argument>: expected …, got …"; "GARBAGE in <key>", with nothing taken yet: purge, and ask again
--
-- Cost O(n + look), whatever the backlog.

local POLL = 0.1 -- seconds: what another worker's answer may change at any moment is asked for again this soon

local function argument_error(name, expected, got)
    error("FETCH " .. name .. ": expected " .. expected .. ", got " .. tostring(got))
end

local now = clock(ARGV[1])
local now_ms = now * 1000
local lane, worker, prefix = ARGV[2], ARGV[3], ARGV[6]
local n, look = whole(ARGV[4], "FETCH", "n"), whole(ARGV[5], "FETCH", "look")
if n < 1 or n > 1000 then argument_error("n", "1 .. 1000", ARGV[4]) end
if look > 1000 then argument_error("look", "0 .. 1000", ARGV[5]) end
local low_mark = whole(ARGV[7], "FETCH", "low")
local held, max_wait = ARGV[8] ~= "", tonumber(ARGV[10]) or 0
local n_breakers, n_buckets = whole(ARGV[11], "FETCH", "breakers"), whole(ARGV[12], "FETCH", "buckets")
local n_routes, n_targets = whole(ARGV[13], "FETCH", "routes"), whole(ARGV[14], "FETCH", "targets")
if #KEYS ~= 10 + n_breakers + n_buckets + n_routes then
    argument_error("keys", tostring(10 + n_breakers + n_buckets + n_routes), #KEYS)
end
if #ARGV ~= 14 + 9 * n_buckets + n_routes + 11 * n_targets then
    argument_error("arguments", tostring(14 + 9 * n_buckets + n_routes + 11 * n_targets), #ARGV)
end

-- Garbage that is met half-way would leave permits that nobody knows of.
local TYPES = {"string", "list", "hash", "hash", "set", "hash", "zset", "set", "set"}
for i, key in ipairs(KEYS) do
    local kind = TYPES[i] or (i <= 10 + n_breakers + n_buckets and "hash" or "zset")
    local found = redis.call("TYPE", key).ok
    if i ~= 10 and found ~= kind and found ~= "none" then error("GARBAGE in " .. key) end
end

redis.call("ZADD", KEYS[7], math.floor(now * 1000), worker)

local epoch = redis.call("GET", KEYS[1])
if not epoch then
    return {"epoch", "", 0, 0, exact(now), {}, {}, {}, {}, {}, {}}
end
local fresh = string.sub(epoch, 1, 6) == "fresh:"

local function answer(reason, retry_in, epochs, jobs, targets, probes, texts, left_shares)
    local left = redis.call("LLEN", KEYS[2])
    local low = 0
    if left < low_mark and not held then
        -- one that does not run out is none of ours, and would keep everybody from filling the window for ever
        if redis.call("PTTL", KEYS[10]) == -1 then redis.call("DEL", KEYS[10]) end
        if redis.call("SET", KEYS[10], worker, "NX", "PX", 200) then low = 1 end
    end
    return {reason, retry_in and exact(retry_in) or "", left, low, exact(now), epochs, jobs, targets, probes,
        texts or {}, left_shares or {}}
end

if redis.call("SISMEMBER", KEYS[8], lane) == 1 then return answer("paused", nil, {}, {}, {}, {}) end

local ids = held and {ARGV[8]} or redis.call("LRANGE", KEYS[2], 0, n + look - 1)
if #ids == 0 then return answer("empty", nil, {}, {}, {}, {}) end
local needs = held and {ARGV[9]} or redis.call("HMGET", KEYS[4], unpack(ids))

-- Everything that guards the targets, read once.
local function read_breaker(key)
    local raw = redis.call("HMGET", key, "state", "epoch", "until", "ramp", "cool_off", "probers")
    if not raw[1] then
        if fresh and redis.call("SISMEMBER", KEYS[9], key) == 0 then
            return {key = key, state = "closed", epoch = 0, until_ = 0}
        end
        -- Redis was lost, or evicted it, and what it knew of this route is gone: the first call is a probe. The epoch is
        -- past every earlier one, so that answers from before the loss move nothing.
        return {key = key, state = "open", epoch = math.floor(now), until_ = 0, cool_off = "1"}
    end
    return {
        key = key, state = raw[1], epoch = tonumber(raw[2] or "") or 0, until_ = tonumber(raw[3] or "") or 0,
        ramp = tonumber(raw[4] or ""), cool_off = raw[5] or "1", probers = raw[6] or "",
    }
end

local breakers, buckets, routes, targets = {}, {}, {}, {}
local at = 14
for i = 1, n_breakers do breakers[i] = read_breaker(KEYS[10 + i]) end
for i = 1, n_buckets do
    local given = {}
    for j = 1, 6 do given[j] = tonumber(ARGV[at + j]) or false end
    local key = KEYS[10 + n_breakers + i]
    -- one that is in the index but not there was evicted: it starts empty, as after a loss
    local full = fresh and (redis.call("EXISTS", key) == 1 or redis.call("SISMEMBER", KEYS[9], key) == 0)
    buckets[i] = bucket_read(key, now_ms, given, full)
    local start, burst, level = tonumber(ARGV[at + 7]), tonumber(ARGV[at + 8]), tonumber(ARGV[at + 9])
    if start and burst and level then bucket_begin(buckets[i], start, burst, full and level or 0) end
    at = at + 9
end
for i = 1, n_routes do
    local key = KEYS[10 + n_breakers + n_buckets + i]
    redis.call("ZREMRANGEBYSCORE", key, "-inf", exact(now))
    routes[i] = {key = key, used = redis.call("ZCARD", key), limit = tonumber(ARGV[at + i]) or math.huge, taken = {}}
end
at = at + n_routes
for i = 1, n_targets do
    targets[i] = {
        route = ARGV[at + 1], bucket_name = ARGV[at + 2],
        bucket = buckets[whole(ARGV[at + 3], "FETCH", "bucket")], slots = routes[whole(ARGV[at + 4], "FETCH", "route")],
        breakers = {breakers[tonumber(ARGV[at + 5])], breakers[tonumber(ARGV[at + 6])], breakers[tonumber(ARGV[at + 7])]},
        lease = tonumber(ARGV[at + 8]), probe_lease = tonumber(ARGV[at + 9]),
        joint = ARGV[at + 10] == "1", output = tonumber(ARGV[at + 11]) or math.huge,
    }
    local credential = targets[i].breakers[2]
    targets[i].credential = credential and string.match(credential.key, "^{.-}:breaker:(.*)$")
    if not targets[i].bucket or not targets[i].slots or #targets[i].breakers ~= 3
        or not targets[i].lease or not targets[i].probe_lease then
        argument_error("target " .. i, "numbers of its bucket, route and breakers, and two leases", ARGV[at + 1])
    end
    at = at + 11
end

-- Why a target admits nobody, whatever the job: reason and seconds; nil when it may admit. The second result says that it needs a probe.
local function gate(target)
    local limit, probe = target.slots.limit, false
    for _, breaker in ipairs(target.breakers) do
        local state = breaker.state
        if state == "open" or state == "half_open" then
            if now < breaker.until_ then
                return "breaker", state == "open" and breaker.until_ - now or math.min(POLL, breaker.until_ - now)
            end
            probe = true
        elseif state == "closed" then
            if breaker.ramp then
                limit = math.min(limit, math.max(1, math.floor(breaker.ramp)))
            end
        elseif state ~= "disabled" then
            return "breaker", nil, false -- forced open, or a state we do not know: fail closed
        end
    end
    if target.slots.used >= limit then return "slots", POLL end
    return nil, nil, probe
end

-- How late the job's probe failed in the outage that a probe is to end: the more, the later; 0 if it did not.
local function place_among_probers(target, id)
    local place = 0
    for _, breaker in ipairs(target.breakers) do
        if breaker.probers and (breaker.state == "open" or breaker.state == "half_open") then
            place = math.max(place, string.find(" " .. breaker.probers .. " ", " " .. id .. " ", 1, true) or 0)
        end
    end
    return place
end

-- When the job may take the target: it may have to avoid its route, or its credential alone.
local function avoided_until(target, need)
    if not need.avoid then return 0 end
    return math.max(need.avoid[target.route] or 0, need.avoid[target.credential] or 0)
end

local function costs_of(target, need)
    local input = need.input + (target.joint and need.output or 0)
    return {1, input, math.min(need.output, target.output)}
end

-- The whole of a need, or nil for garbage. Its signature follows in a line of its own; the caller checks that.
local function read_need(text)
    if not text then return nil end
    local input, output, rest = string.match(text, "^(%d+)\t(%d+)([^\n]*)")
    if not input or #input > 15 or #output > 15 then return nil end
    local need = {input = tonumber(input), output = tonumber(output)}
    if rest ~= "" then
        need.avoid = {}
        for route, until_ in string.gmatch(rest, "\t([^\t]+)\t([^\t]+)") do
            -- "@" is no route but the job's deadline, by which the lane is ordered
            if route ~= "@" then need.avoid[route] = until_ == "inf" and math.huge or tonumber(until_) or 0 end
        end
    end
    return need
end

-- The order in which targets are offered a job: the plan's. Only where a credential is not well, those of one route are
-- sorted by whose turn it is; policy/probe_order.py is the oracle.
local function is_due(breaker)
    return (breaker.state == "open" or breaker.state == "half_open") and now >= breaker.until_
end

local function turn(target)
    if is_due(target.breakers[2]) then return target.breakers[2].until_ end
    return is_due(target.breakers[3]) and -math.huge or math.huge
end

local order, turns = {}, {}
for number, target in ipairs(targets) do
    order[number], turns[number] = number, turn(target)
    local place = number
    while place > 1 and targets[order[place - 1]].route == target.route and turns[order[place - 1]] > turns[number] do
        order[place], order[place - 1] = order[place - 1], number
        place = place - 1
    end
end

local jobs, chosen, probes = {}, {}, {}
local permits, texts, left_shares = {}, {}, {}
local skipped, garbage, seen, held_back = {}, {}, {}, {}
local reason, retry_in
local looked, longest_lease = 0, 0

local function take(target, number, id, costs, probe)
    local permit = prefix .. ":" .. (#jobs + 1)
    local probing = ""
    for i = 1, 3 do bucket_add(target.bucket, i, -costs[i]) end
    target.bucket.taken, target.bucket.changed = target.bucket.taken + 1, true
    bucket_asks(target.bucket)
    left_shares[#left_shares + 1] = math.floor(bucket_left(target.bucket) * 100)
    target.slots.used = target.slots.used + 1
    local slots = target.slots.taken
    slots[#slots + 1], slots[#slots + 2] = exact(now + target.lease), permit
    jobs[#jobs + 1], chosen[#chosen + 1] = id, number
    if probe then
        probes[#probes + 1] = #jobs
        for _, breaker in ipairs(target.breakers) do
            if breaker.state == "open" or breaker.state == "half_open" then
                -- policy/breaker.admit: a new epoch from open; from half open only the lease moves on
                if breaker.state == "open" then breaker.epoch = breaker.epoch + 1 end
                breaker.state, breaker.until_ = "half_open", now + target.probe_lease
                redis.call("HSET", breaker.key, "state", "half_open", "epoch", string.format("%d", breaker.epoch),
                    "until", exact(breaker.until_), "cool_off", breaker.cool_off, "lent", exact(now), "probe", permit)
                redis.call("HINCRBY", breaker.key, "version", 1)
                redis.call("SADD", KEYS[9], breaker.key)
                probing = probing .. "\t" .. breaker.key
            end
        end
    end
    longest_lease = math.max(longest_lease, target.lease)
    permits[#permits + 1] = permit
    permits[#permits + 1] = table.concat({id, held and "" or lane, target.route, target.bucket_name,
        exact(costs[1]), exact(costs[2]), exact(costs[3]), string.sub(probing, 2)}, "\t")
end

-- Offer one job to the targets in order. Returns whether it was taken, whether every target is shut to all, and whether it
-- could have had a probe that another job should make: as the last resort it may. Then it is how late its own failed; else 0.
local function place(id, need, last_resort)
    local shut, why, wait, failed_at, turn = 0, nil, nil, 0, nil
    for _, number in ipairs(order) do
        local target = targets[number]
        local bucket, grows = target.bucket, false
        if turn and turn.route ~= target.route then
            turn.bucket.queued = (turn.bucket.queued or 0) + 1
            break
        end
        local until_ = avoided_until(target, need)
        local refusal, seconds
        if until_ > now then
            refusal, seconds = "avoided", until_ < math.huge and until_ - now or nil
        elseif bucket.short and not bucket.short_grows then
            refusal, seconds, shut = "bucket", bucket.short, shut + 1
        else
            local probe
            refusal, seconds, probe = gate(target)
            if probe and held then refusal, seconds = "breaker", POLL end
            if refusal then
                shut = shut + 1
            elseif bucket.short then
                refusal, seconds, shut, grows = "bucket", bucket.short, shut + 1, not probe
            else
                local costs = costs_of(target, need)
                local lack = bucket_wait(bucket, costs)
                local failed = probe and not last_resort and place_among_probers(target, id) or 0
                if lack == 0 and failed > 0 then
                    refusal, seconds, failed_at = "breaker", POLL, failed
                elseif lack == 0 then
                    take(target, number, id, costs, probe)
                    return true
                else
                    bucket.short = lack / 1000
                    bucket.short_grows = bucket.grows and bucket_wait(bucket, {0, costs[2], costs[3]}) == 0
                    refusal, seconds, shut, grows = "bucket", bucket.short, shut + 1, bucket.short_grows and not probe
                end
            end
        end
        if not why or (seconds and (not wait or seconds < wait)) then why, wait = refusal, seconds end
        if grows and not turn and seconds + (bucket.queued or 0) / bucket.per_ms[1] / 1000 <= max_wait then
            turn = target
        end
    end
    if not reason then reason, retry_in = why, wait end
    return false, shut == #targets, failed_at
end

for i, id in ipairs(ids) do
    if #jobs == n then break end
    local need = read_need(needs[i])
    looked = i
    if seen[id] then
        -- an id that somebody pushed twice: its second place is nobody's
    elseif not need or #id ~= 32 or string.find(id, "%X") then
        garbage[#garbage + 1] = id
    else
        seen[id] = true
        local taken, shut, failed_at = place(id, need, false)
        if taken then texts[#texts + 1] = needs[i] end
        if not taken then
            skipped[#skipped + 1] = id
            if failed_at > 0 then
                held_back[#held_back + 1] = {id = id, need = need, text = needs[i], failed_at = failed_at, at = i}
            end
            if shut or #skipped >= look then break end
        end
    end
end

-- Who failed longest ago asks again first.
table.sort(held_back, function(a, b)
    if a.failed_at ~= b.failed_at then return a.failed_at < b.failed_at end
    return a.at < b.at
end)
for _, job in ipairs(held_back) do
    if #jobs == n then break end
    if place(job.id, job.need, true) then
        texts[#texts + 1] = job.text
        for i, id in ipairs(skipped) do
            if id == job.id then table.remove(skipped, i) break end
        end
    end
end

-- Out of the lane go those that were taken and the garbage; those passed over keep their places.
if looked > #skipped and not held then
    redis.call("LTRIM", KEYS[2], looked, -1)
    if #skipped > 0 then
        local back = {}
        for i = #skipped, 1, -1 do back[#back + 1] = skipped[i] end
        redis.call("LPUSH", KEYS[2], unpack(back))
    end
end
if #garbage > 0 and not held then
    redis.call("HDEL", KEYS[3], unpack(garbage))
    redis.call("HDEL", KEYS[4], unpack(garbage))
end
for _, bucket in ipairs(buckets) do
    if bucket.changed then
        if not bucket.known then redis.call("SADD", KEYS[9], bucket.key) end
        bucket_write(bucket)
    end
end
if #jobs > 0 then
    for _, slots in ipairs(routes) do
        if #slots.taken > 0 then
            redis.call("ZADD", slots.key, unpack(slots.taken))
            redis.call("SADD", KEYS[9], slots.key)
        end
    end
    redis.call("HSET", KEYS[6], unpack(permits))
    -- permits of calls that nobody settles go with the last lease; a longer one from an earlier fetch stays
    local milliseconds = math.ceil((longest_lease + 60) * 1000)
    if redis.call("PTTL", KEYS[6]) < milliseconds then
        redis.call("PEXPIRE", KEYS[6], milliseconds)
    end
    if not held then redis.call("SADD", KEYS[5], unpack(jobs)) end
end

local epochs = {}
for i, breaker in ipairs(breakers) do epochs[i] = string.format("%d", breaker.epoch) end
if #jobs == n then
    reason, retry_in = "", nil
elseif not reason then
    -- the window may hold more behind what was looked at (garbage): ask again at once
    reason = "empty"
    if redis.call("LLEN", KEYS[2]) > 0 then retry_in = 0 end
end
return answer(reason, retry_in, epochs, jobs, chosen, probes, texts, left_shares)

-- rank: the order of a lane: the nearest deadline first, then the oldest. Ids tell the age.
--
-- due_of(need)              deadline in a need, seconds; infinite where there is none, or nothing readable
-- rank_place(lane, needs, jobs)  put jobs {id, due}, in order, where they belong in the list ``lane``, of whose ids the hash
--                           ``needs`` tells the deadlines. Returns whether any stands before one that was there
--
-- Cost O(jobs) where all come last or first, as they mostly do; a few are looked for by halves; for many the list is
-- written anew.

local FEW = 24 -- jobs for which looking for each place costs less than reading the whole window
local AT_ONCE = 1000 -- arguments of one command

local function due_of(need)
    return tonumber(string.match(need or "", "\t@\t([^\t\n]+)") or "") or math.huge
end

local function ranks_before(a, b)
    return a.due < b.due or (a.due == b.due and a.id < b.id)
end

local function waiting_at(lane, needs, place)
    local id = redis.call("LINDEX", lane, place)
    return {id = id, due = due_of(redis.call("HGET", needs, id))}
end

local function push(command, lane, jobs, first, last)
    local ids, step = {}, command == "LPUSH" and -1 or 1
    local from, to = first, last
    if step < 0 then from, to = last, first end
    for i = from, to, step do
        ids[#ids + 1] = jobs[i].id
        if #ids == AT_ONCE or i == to then
            redis.call(command, lane, unpack(ids))
            ids = {}
        end
    end
end

local function insert(lane, needs, job)
    local low, high = 0, redis.call("LLEN", lane)
    local last = high
    while low < high do
        local middle = math.floor((low + high) / 2)
        if ranks_before(job, waiting_at(lane, needs, middle)) then high = middle else low = middle + 1 end
    end
    if low == last then
        redis.call("RPUSH", lane, job.id)
    elseif low == 0 then
        redis.call("LPUSH", lane, job.id)
    else
        redis.call("LINSERT", lane, "BEFORE", redis.call("LINDEX", lane, low), job.id)
    end
end

local function merge(lane, needs, jobs)
    local ids, merged, next_ = redis.call("LRANGE", lane, 0, -1), {}, 1
    for from = 1, #ids, AT_ONCE do
        local to = math.min(#ids, from + AT_ONCE - 1)
        local texts = redis.call("HMGET", needs, unpack(ids, from, to))
        for i = from, to do
            local job = {id = ids[i], due = due_of(texts[i - from + 1])}
            while next_ <= #jobs and ranks_before(jobs[next_], job) do
                merged[#merged + 1], next_ = jobs[next_], next_ + 1
            end
            merged[#merged + 1] = job
        end
    end
    for i = next_, #jobs do merged[#merged + 1] = jobs[i] end
    redis.call("DEL", lane)
    push("RPUSH", lane, merged, 1, #merged)
end

local function rank_place(lane, needs, jobs)
    if redis.call("LLEN", lane) == 0 or not ranks_before(jobs[1], waiting_at(lane, needs, -1)) then
        push("RPUSH", lane, jobs, 1, #jobs)
        return false
    end
    if ranks_before(jobs[#jobs], waiting_at(lane, needs, 0)) then
        push("LPUSH", lane, jobs, 1, #jobs)
    elseif #jobs <= FEW then
        for _, job in ipairs(jobs) do insert(lane, needs, job) end
    else
        merge(lane, needs, jobs)
    end
    return true
end

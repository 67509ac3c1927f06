-- needs: clock rank
-- offer: put jobs into a lane's window, each at most once, where their deadline and age say.
--
-- The window is the head of the backlog, and stays it: a full one takes what ranks before its last jobs, and lets go of
-- as many of those; and what ranks behind a job that had no room is not taken either, though there be room by now. SQL
-- has them all, and offers the next ones when the window runs low.
--
-- KEYS  1 lane (list), 2 messages (hash), 3 need (hash), 4 names (set of lanes), 5 refill (string), 6 beyond (string: the
--       first job known not to be in the window)
-- ARGV  1 lane     its name
--       2 window   ids that the lane may hold                                 >= 0
--       3 backlog  all   these and what is in the window are the whole backlog
--                  part  these are the head of the backlog, and more may follow
--                  ""    nothing is known of the backlog
--       4 goes on  "1": this call goes on where one before ended, with the same knowledge of the backlog
--       5 channel  where to publish a hint
--       then per job, nearest deadline first, then oldest: id, dramatiq message, need
--
-- RETURNS  the number of jobs added
-- ERRORS   "OFFER <argument>: expected …, got …"
--
-- Cost O(jobs) where they come last or first; see rank.

local window, backlog = whole(ARGV[2], "OFFER", "window"), ARGV[3]
if (#ARGV - 5) % 3 ~= 0 then
    error("OFFER jobs: expected id, message and need for each, got " .. (#ARGV - 5) .. " arguments")
end
if backlog ~= "" and backlog ~= "all" and backlog ~= "part" then
    error("OFFER backlog: expected all, part or nothing, got " .. backlog)
end

local beyond
local function note_beyond(job)
    if not beyond or ranks_before(job, beyond) then beyond = job end
end
local noted = redis.call("GET", KEYS[6])
local is_end = noted and string.sub(noted, -1) == "+" -- just behind the last job of a call before: see below
if noted and (backlog == "" or (ARGV[4] == "1" and not is_end)) then
    local due, id = string.match(noted, "^([^\t]*)\t(.*)$")
    beyond = {id = id or "", due = tonumber(due or "") or math.huge}
end

local before = redis.call("LLEN", KEYS[1])
local room, last = window - before, before > 0 and waiting_at(KEYS[1], KEYS[3], -1)
local added = {}
for i = 6, #ARGV, 3 do
    local job = {id = ARGV[i], due = due_of(ARGV[i + 2])}
    if beyond and not ranks_before(job, beyond) then break end
    if redis.call("HEXISTS", KEYS[2], job.id) == 0 then
        if #added >= room and (not last or #added >= window or not ranks_before(job, last)) then
            note_beyond(job)
            break
        end
        redis.call("HSET", KEYS[2], job.id, ARGV[i + 1])
        redis.call("HSET", KEYS[3], job.id, ARGV[i + 2])
        added[#added + 1] = job
    end
    if backlog == "part" and i + 3 > #ARGV then note_beyond({id = job.id .. "+", due = job.due}) end
end

local ahead = false
if #added > 0 then
    redis.call("DEL", KEYS[5])
    ahead = rank_place(KEYS[1], KEYS[3], added)
    for _ = 1, before + #added - math.max(before, window) do
        local job = waiting_at(KEYS[1], KEYS[3], -1)
        note_beyond(job)
        redis.call("RPOP", KEYS[1])
        redis.call("HDEL", KEYS[2], job.id)
        redis.call("HDEL", KEYS[3], job.id)
    end
    redis.call("SADD", KEYS[4], ARGV[1])
    if before == 0 or ahead then redis.call("PUBLISH", ARGV[5], ARGV[1]) end
end
if beyond then
    redis.call("SET", KEYS[6], (beyond.due == math.huge and "" or exact(beyond.due)) .. "\t" .. beyond.id)
elseif noted then
    redis.call("DEL", KEYS[6])
end
return #added

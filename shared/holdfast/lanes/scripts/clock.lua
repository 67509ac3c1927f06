-- clock: what every script needs before it can decide.
--
-- clock(text)      seconds since the epoch: of the server's clock where text is "", of one that runs SPEED times faster
--                  from second SINCE on where it is SPEED@SINCE (in a drill), else of text (tests crank it)
-- whole(text, …)   text as a whole number >= 0, or an error that names the argument
-- exact(number)    text that reads back as the same number
-- following_from(at, script)  a function that returns one argument after the other, from ARGV[at] on

local function clock(text)
    local speed, since = string.match(text, "^(.+)@(.+)$")
    if text == "" or speed then
        local now = redis.call("TIME")
        local seconds = tonumber(now[1]) + tonumber(now[2]) / 1000000
        return speed and tonumber(since) + (seconds - tonumber(since)) * tonumber(speed) or seconds
    end
    local now = tonumber(text)
    if not now then
        error("CLOCK now: expected seconds or an empty text, got " .. tostring(text))
    end
    return now
end

local function whole(text, script, name)
    local number = tonumber(text)
    if not number or number < 0 or number ~= math.floor(number) then
        error(script .. " " .. name .. ": expected a whole number >= 0, got " .. tostring(text))
    end
    return number
end

local function exact(number)
    return string.format("%.17g", number)
end

local function following_from(at, script)
    return function()
        if ARGV[at] == nil then error(script .. " arguments: expected more than " .. #ARGV) end
        at = at + 1
        return ARGV[at - 1]
    end
end

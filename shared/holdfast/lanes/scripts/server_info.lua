-- server_info: what the server that holds our keys says of itself, whichever node of a cluster it is.
--
-- KEYS  1 the root of all names
--
-- RETURNS  the text of INFO; "" where it does not tell

local info = redis.pcall("INFO")
return type(info) == "string" and info or ""

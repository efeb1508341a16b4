-- wrk: messages to /v1/events at RATE events a second (0: as fast as they are taken), BATCH in a request. No two
-- are the same: of each real text one word is left out, and some name a mail address or an order.
local ffi = require("ffi")
ffi.cdef [[ typedef struct { long s, us; } heed_time; int gettimeofday(heed_time *t, void *zone); ]]
local clock = ffi.new("heed_time")
local function now()
    ffi.C.gettimeofday(clock, nil)
    return tonumber(clock.s) + tonumber(clock.us) * 1e-6
end
local rate, batch = tonumber(os.getenv("RATE") or 0), tonumber(os.getenv("BATCH") or 100)
local texts, n, sent, begin = {}, 0, 0, nil
local ends = { "", "", "", "", " please", " thanks", " again", " today", " my order is no. %d", " write to u%d@example.org" }
function init()
    wrk.method = "POST"
    wrk.headers["Content-Type"] = "application/json"
    math.randomseed(1)
    for line in io.lines(os.getenv("FILE") or "data/banking77/train.tsv") do
        local words = {}
        for word in line:match("\t(.*)$"):gsub("[\\\"]", ""):gmatch("%S+") do words[#words + 1] = word end
        texts[#texts + 1] = words
    end
end
-- Milliseconds until the next request is due: they are due at even times, whatever the answers take.
function delay()
    if rate == 0 then return 0 end
    begin = begin or now()
    local due = begin + sent * batch / rate
    sent = sent + 1
    return math.max(0, math.floor((due - now()) * 1000 + 0.5))
end
local function message()
    n = n + 1
    local words, to = texts[math.random(#texts)], {}
    local out = math.random(#words)
    for i = 1, #words do if i ~= out or #words < 3 then to[#to + 1] = words[i] end end
    return '{"id":"' .. n .. '","text":"' .. table.concat(to, " ") .. ends[math.random(#ends)]:format(n) .. '"}'
end
function request()
    local list = {}
    for i = 1, batch do list[i] = message() end
    return wrk.format(nil, "/v1/events", nil, "[" .. table.concat(list, ",") .. "]")
end

-- wrk: real messages to /v1/events, BATCH in a request, each with an id of its own.
local texts, n = {}, 0
local batch = tonumber(os.getenv("BATCH") or 100)
function init()
    wrk.method = "POST"
    wrk.headers["Content-Type"] = "application/json"
    for line in io.lines(os.getenv("FILE") or "data/banking77/test.tsv") do
        texts[#texts + 1] = line:match("\t(.*)$"):gsub("\\", "\\\\"):gsub('"', '\\"')
    end
end
function request()
    local list = {}
    for i = 1, batch do
        n = n + 1
        list[i] = '{"id":"' .. n .. '","text":"' .. texts[n % #texts + 1] .. '"}'
    end
    return wrk.format(nil, "/v1/events", nil, "[" .. table.concat(list, ",") .. "]")
end

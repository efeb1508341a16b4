-- wrk: real messages to /v1/classify, one after the other. FILE names a TSV of label and text.
local made, n = {}, 0
function init()
    wrk.method = "POST"
    wrk.headers["Content-Type"] = "application/json"
    for line in io.lines(os.getenv("FILE") or "data/banking77/test.tsv") do
        local text = line:match("\t(.*)$"):gsub("\\", "\\\\"):gsub('"', '\\"')
        made[#made + 1] = wrk.format(nil, "/v1/classify", nil, '{"text":"' .. text .. '"}')
    end
end
function request()
    n = n + 1
    return made[n % #made + 1]
end

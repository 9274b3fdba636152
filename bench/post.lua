-- SPDX-License-Identifier: Apache-2.0
-- For wrk: requests with a key and, for a POST, a body and an Idempotency-Key of its own; prints the counts as one line of JSON at the end.
-- BENCH_METHOD, BENCH_KEY, BENCH_BODY and BENCH_PATHS (a file of paths, one a line, used in turn) are in the environment.
local paths = {}
local before, behind -- of a POST, around its Idempotency-Key, which is another each time
local prefix

function init(args)
    wrk.method = os.getenv("BENCH_METHOD") or "GET"
    wrk.headers["Authorization"] = "Bearer " .. (os.getenv("BENCH_KEY") or "")
    if wrk.method == "POST" then
        wrk.headers["Content-Type"] = "application/json"
        wrk.body = os.getenv("BENCH_BODY")
        wrk.headers["Idempotency-Key"] = "@"
    end
    local file = os.getenv("BENCH_PATHS")
    if file then
        for line in io.lines(file) do
            paths[#paths + 1] = wrk.format(nil, line)
        end
    else
        paths[1] = wrk.format()
    end
    if wrk.method == "POST" then
        before, behind = paths[1]:match("^(.-Idempotency%-Key: )@(.*)$")
        local random = io.open("/dev/urandom", "rb") -- each thread is its own interpreter
        prefix = random:read(12):gsub(".", function(byte) return string.format("%02x", byte:byte()) end)
        random:close()
    end
end

local turn = 0

function request()
    if before then
        turn = turn + 1
        return before .. prefix .. string.format("%08x", turn) .. behind
    end
    turn = turn % #paths + 1
    return paths[turn]
end

function done(summary, latency, requests)
    local errors = summary.errors
    io.write(string.format(
        '{"requests": %d, "seconds": %.6f, "refused": %d, "broken": %d, "p50_ms": %.3f, "p99_ms": %.3f}\n',
        summary.requests, summary.duration / 1e6, errors.status,
        errors.connect + errors.read + errors.write + errors.timeout,
        latency:percentile(50) / 1000, latency:percentile(99) / 1000))
end

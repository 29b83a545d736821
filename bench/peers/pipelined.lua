-- For wrk: so many requests in one write as the environment's PIPELINED says.

init = function(arguments)
  request_text = string.rep(wrk.format(), tonumber(os.getenv("PIPELINED")))
end

request = function()
  return request_text
end

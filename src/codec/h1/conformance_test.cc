// Feeds the tables in tests/conformance to the parsers: whole, split at every byte (two pieces),
// and byte by byte in memory that moves. The outcome must be the table's each time.
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <string>

#include "codec/h1/chunk_decoder.h"
#include "codec/h1/request_parser.h"
#include "codec/h1/response_parser.h"

namespace doorward::codec::h1 {
namespace {

using Json = nlohmann::json;

// JSON holds each byte as the code point of the same number.
std::string to_bytes(const std::string& utf8) {
  std::string bytes;
  for (std::size_t i = 0; i < utf8.size(); ++i) {
    const auto c = static_cast<unsigned char>(utf8[i]);
    if (c < 0x80) {
      bytes += utf8[i];
    } else {
      bytes += static_cast<char>((c & 3) << 6 | (utf8[++i] & 0x3f));
    }
  }
  return bytes;
}

std::string message(const Json& entry) {
  std::string bytes = to_bytes(entry["bytes"]);
  const std::string mark = "<<repeat>>";
  const std::size_t at = bytes.find(mark);
  if (at == std::string::npos) return bytes;
  std::string filling;
  for (int i = 0; i < entry["repeat"][1].get<int>(); ++i) {
    filling += to_bytes(entry["repeat"][0]);
  }
  return bytes.replace(at, mark.size(), filling);
}

Json table(const std::string& name) {
  // Build trees lie inside the source tree: the tables are in a folder above this program.
  std::filesystem::path folder = std::filesystem::read_symlink("/proc/self/exe").parent_path();
  const auto file_in = [&] { return folder / "tests" / "conformance" / name; };
  while (folder.has_relative_path() && !std::filesystem::exists(file_in())) {
    folder = folder.parent_path();
  }
  std::ifstream file(file_in());
  return Json::parse(file);
}

struct Outcome {
  std::string verdict = "incomplete";
  int status = 0;
  std::string framing, host, upgrade, content, left, fields;
  bool keep_alive = false;
  bool expect_continue = false;
  bool operator==(const Outcome&) const = default;
};

std::ostream& operator<<(std::ostream& out, const Outcome& o) {
  return out << o.verdict << " status " << o.status << " framing " << o.framing << " host "
             << o.host << " upgrade " << o.upgrade << " keep_alive " << o.keep_alive << " content "
             << o.content << " left " << o.left;
}

std::string to_text(const Framing& framing) {
  switch (framing.kind) {
    case Body::none:
      return "none";
    case Body::length:
      return "length:" + std::to_string(framing.length);
    case Body::chunked:
      return "chunked";
    case Body::until_close:
      return "until_close";
  }
  return {};
}

void refuse(Outcome& out, Refusal refusal) {
  out = Outcome{};
  out.verdict = to_string(refusal);
  out.status = status_of(refusal);
}

// `pieces`: sizes of the message's parts, as they arrive.
std::vector<std::string> split(const std::string& bytes, const std::vector<std::size_t>& at) {
  std::vector<std::string> parts;
  std::size_t from = 0;
  for (std::size_t to : at) {
    parts.push_back(bytes.substr(from, to - from));
    from = to;
  }
  parts.push_back(bytes.substr(from));
  return parts;
}

// Reads the content that `framing` announces; `rest` holds what came with the head.
void read_content(Outcome& out, const Framing& framing, std::string rest,
                  std::vector<std::string> more) {
  Arena arena;
  ChunkDecoder decoder(arena);
  out.framing = to_text(framing);
  more.insert(more.begin(), std::move(rest));
  std::uint64_t wanted = framing.length;
  bool done = framing.kind == Body::none || framing.kind == Body::until_close;
  for (std::string_view part : more) {
    if (framing.kind == Body::until_close) {
      out.content += part;
      continue;
    }
    if (!done && framing.kind == Body::length) {
      const std::string_view taken = part.substr(0, wanted);
      out.content += taken;
      wanted -= taken.size();
      part.remove_prefix(taken.size());
      done = wanted == 0;
    }
    std::string_view data;
    ChunkStep step = ChunkStep::need_more;
    while (!done && framing.kind == Body::chunked) {
      step = decoder.next(part, data);
      if (step == ChunkStep::data) out.content += data;
      if (step == ChunkStep::refused) return refuse(out, decoder.refusal());
      if (step == ChunkStep::need_more) break;
      done = step == ChunkStep::done;
    }
    if (done) out.left += part;
  }
  out.verdict = done ? "accepted" : "incomplete";
}

template <class Head>
std::string fields_of(const Head& head) {
  std::string text;
  for (const http::Header& header : head.headers) {
    text += std::string(header.name) + "\n" + std::string(header.value) + "\n" +
            std::string(header.line()) + "\n";
  }
  return text;
}

Outcome run_request(const std::vector<std::string>& parts) {
  Outcome out;
  Arena arena;
  http::RequestHead head(arena);
  RequestParser parser;
  std::string kept;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    std::string moved = kept + parts[i];
    kept.swap(moved);  // the old bytes are gone after the next turn: stale views would show
    const Progress progress = parser.parse(kept, {}, head);
    std::fill(moved.begin(), moved.end(), '#');
    if (progress == Progress::need_more) continue;
    if (progress == Progress::refused) {
      refuse(out, parser.refusal());
      return out;
    }
    out.host = parser.host();
    out.upgrade = parser.upgrade();
    out.keep_alive = parser.keep_alive();
    out.expect_continue = parser.expect_continue();
    out.fields = std::string(head.method_text) + " " + std::string(head.target) + fields_of(head);
    read_content(out, parser.framing(), kept.substr(parser.consumed()),
                 {parts.begin() + static_cast<std::ptrdiff_t>(i) + 1, parts.end()});
    return out;
  }
  return out;
}

Outcome run_response(const std::vector<std::string>& parts, http::Method method, bool upgrade) {
  Outcome out;
  Arena arena;
  http::ResponseHead head(arena);
  ResponseParser parser;
  parser.reset(method, upgrade);
  std::string kept;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    std::string moved = kept + parts[i];
    kept.swap(moved);
    Progress progress = parser.parse(kept, {}, head);
    std::fill(moved.begin(), moved.end(), '#');
    while (progress == Progress::done && parser.interim()) {
      kept.erase(0, parser.consumed());
      parser.next_head();
      head = http::ResponseHead(arena);
      progress = parser.parse(kept, {}, head);
    }
    if (progress == Progress::need_more) continue;
    if (progress == Progress::refused) {
      refuse(out, parser.refusal());
      out.status = 502;
      return out;
    }
    out.keep_alive = parser.keep_alive();
    out.fields = std::to_string(head.status) + std::string(head.reason) + fields_of(head);
    read_content(out, parser.framing(), kept.substr(parser.consumed()),
                 {parts.begin() + static_cast<std::ptrdiff_t>(i) + 1, parts.end()});
    if (out.status != 0) out.status = 502;
    return out;
  }
  return out;
}

// The table's words against the outcome of the whole message.
void compare(const Json& entry, const Outcome& out) {
  EXPECT_EQ(out.verdict, entry["expect"].get<std::string>());
  EXPECT_EQ(out.status, entry.value("status", 0));
  if (out.verdict != "accepted") return;
  EXPECT_EQ(out.framing, entry["framing"].get<std::string>());
  EXPECT_EQ(out.keep_alive, entry["keep_alive"].get<bool>());
  EXPECT_EQ(out.left, to_bytes(entry.value("left", "")));
  if (entry.contains("content")) {
    EXPECT_EQ(out.content, to_bytes(entry["content"]));
  }
  if (entry.contains("host")) {
    EXPECT_EQ(out.host, entry["host"].get<std::string>());
  }
  if (entry.contains("upgrade")) {
    EXPECT_EQ(out.upgrade, entry["upgrade"].get<std::string>());
  }
  if (entry.contains("expect_continue")) {
    EXPECT_EQ(out.expect_continue, entry["expect_continue"].get<bool>());
  }
}

// `run` must say the same of every split; huge messages are split at some places only.
template <class Run>
void check_splits(const std::string& bytes, const Outcome& whole, Run run) {
  const std::size_t stride = bytes.size() < 2000 ? 1 : 997;
  for (std::size_t at = 0; at <= bytes.size(); at += stride) {
    ASSERT_EQ(run(split(bytes, {at})), whole) << "split at " << at;
  }
  std::vector<std::size_t> every;
  for (std::size_t at = 1; at < bytes.size(); at += stride) every.push_back(at);
  ASSERT_EQ(run(split(bytes, every)), whole) << "byte by byte";
}

TEST(Conformance, Requests) {
  const Json entries = table("requests.json");
  ASSERT_GE(entries.size(), 150U);
  for (const Json& entry : entries) {
    SCOPED_TRACE(entry["name"].get<std::string>());
    const std::string bytes = message(entry);
    const Outcome whole = run_request({bytes});
    compare(entry, whole);
    check_splits(bytes, whole, run_request);
  }
}

TEST(Conformance, Responses) {
  const Json entries = table("responses.json");
  ASSERT_GE(entries.size(), 80U);
  for (const Json& entry : entries) {
    SCOPED_TRACE(entry["name"].get<std::string>());
    const std::string bytes = message(entry);
    const auto method = http::classify_method(entry.value("method", "GET"));
    const bool upgrade = entry.value("upgrade_sent", false);
    const auto run = [&](const std::vector<std::string>& parts) {
      return run_response(parts, method, upgrade);
    };
    const Outcome whole = run({bytes});
    compare(entry, whole);
    check_splits(bytes, whole, run);
  }
}

}  // namespace
}  // namespace doorward::codec::h1

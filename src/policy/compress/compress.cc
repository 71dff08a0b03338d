// compress: the settings, the decision on the head, and the body through the encoder.
#include "policy/compress/compress.h"

#include <charconv>
#include <optional>

#include "http/field.h"
#include "http/status.h"
#include "schema/schema.h"

namespace doorward::policy {
namespace {

using http::HeaderList;
using http::HeaderName;
using schema::at_least;
using schema::at_most;
using schema::field;

constexpr schema::TextCheck kMediaType{"a media type, with * for any", "text/*", "^[^/ ]+/[^/ ]+$",
                                       &is_media_type_pattern};

constexpr auto kLevelSchema = schema::schema<CompressLevels>(
    "level", "How hard each algorithm tries: higher is smaller and dearer.",
    field("gzip", &CompressLevels::gzip, "Of gzip.", at_least(1), at_most(9)),
    field("br", &CompressLevels::br, "Of brotli.", at_least(0), at_most(11)),
    field("zstd", &CompressLevels::zstd, "Of zstd.", at_least(1), at_most(19)));

constexpr auto kSchema = schema::schema<CompressConfig>(
    "compress",
    "Compresses responses for clients that accept it. Left alone are responses that are encoded "
    "already, partial (206), without a body, or marked `Cache-Control: no-transform`. Strong ETags "
    "become weak, also in the 304 that confirms one, and `Vary: Accept-Encoding` is added. Streams "
    "without a length and event streams are "
    "flushed whenever the backend pauses, so events are not held back. Other bodies of at most "
    "128 KiB are gathered for gzip at levels up to 7, and compressed when they are whole.",
    field(
        "algorithms", &CompressConfig::algorithms,
        "What is offered; of those that a client likes equally, the first is taken.",
        schema::names<Coding>({{"zstd", Coding::zstd}, {"br", Coding::br}, {"gzip", Coding::gzip}}),
        schema::count(1, 3)),
    field("min_size", &CompressConfig::min_size,
          "Bodies with a smaller Content-Length are left alone."),
    field("types", &CompressConfig::types,
          "Media types that are worth it; `*` stands for anything.", schema::is(kMediaType)),
    field("level", &CompressConfig::level, "Compression levels.", schema::of(kLevelSchema)),
    schema::example("algorithms: [zstd, gzip]\n"
                    "min_size: 2KiB\n"
                    "types: [text/*, application/json]\n"
                    "level: {gzip: 6}\n"));

std::optional<std::uint64_t> announced_length(const HeaderList& headers) {
  if (!headers.has(HeaderName::content_length)) return std::nullopt;
  const std::string_view text = headers.value(HeaderName::content_length);
  std::uint64_t length = 0;
  std::from_chars(text.data(), text.data() + text.size(), length);
  return length;
}

// Events must not wait for one another, also where somebody gave their stream a length.
bool is_event_stream(const HeaderList& headers) {
  const std::string_view type = headers.value(HeaderName::content_type);
  return http::equal_ignore_case(http::trim(type.substr(0, type.find(';'))), "text/event-stream");
}

bool is_encoded(const HeaderList& headers) {
  for (const http::Header& header : headers.values(HeaderName::content_encoding)) {
    if (!header.value.empty() && !http::equal_ignore_case(header.value, "identity")) return true;
  }
  return false;
}

void add_vary(HeaderList& headers) {
  const bool said = http::has_token(headers, HeaderName::vary, "accept-encoding") ||
                    http::has_token(headers, HeaderName::vary, "*");
  if (!said) headers.add(HeaderName::vary, "Accept-Encoding");
}

// The encoded bytes are another representation: RFC 9110 §8.8.3.3 (ETag), §14.3 (ranges), and
// digests of the bytes no longer hold (RFC 9530).
void describe(HeaderList& headers, std::string_view coding, Arena& arena) {
  headers.set(HeaderName::content_encoding, coding);
  headers.remove(HeaderName::content_length);
  headers.remove(HeaderName::accept_ranges);
  headers.remove(HeaderName::content_md5);
  headers.remove(HeaderName::content_digest);
  headers.remove("repr-digest");
  const http::Header* etag = headers.find(HeaderName::etag);
  if (etag != nullptr && etag->value.starts_with('"')) {
    headers.set(HeaderName::etag, arena.join("W/", etag->value));
  }
}

// 304 speaks of the representation that the client has, with the fields that it came with (RFC 9110
// §15.4.5). Who asks by a weak tag that the backend knows as a strong one has the encoded one.
void confirm(PolicyContext& context) {
  HeaderList& headers = context.response().headers;
  const http::Header* etag = headers.find(HeaderName::etag);
  if (etag == nullptr || !etag->value.starts_with('"')) return;
  const std::string_view weak = context.arena().join("W/", etag->value);
  const HeaderList& asked = context.request().headers;
  for (const http::Header& header : asked.values(HeaderName::if_none_match)) {
    for (std::string_view tag : http::ListElements(header.value)) {
      if (tag != weak) continue;
      headers.set(HeaderName::etag, weak);
      return add_vary(headers);
    }
  }
}

}  // namespace

const schema::SchemaOf<CompressConfig>& kCompressSchema = kSchema;

Compress::Compress(CompressConfig config) : config_(std::move(config)), types_(config_.types) {
  for (const Coding coding : config_.algorithms) offered_.push_back(to_string(coding));
}

int Compress::level_of(Coding coding) const {
  switch (coding) {
    case Coding::gzip:
      return config_.level.gzip;
    case Coding::br:
      return config_.level.br;
    case Coding::zstd:
      return config_.level.zstd;
  }
  return 0;
}

// Is it a response whose encoding depends on what the client accepts?
bool Compress::may_compress(PolicyContext& context) const {
  const HeaderList& headers = context.response().headers;
  const bool for_head = context.request().method == http::Method::head;
  if (!for_head && !context.response_has_body()) return false;
  if (is_encoded(headers)) return false;
  const auto length = announced_length(headers);
  if (length && *length < config_.min_size.count) return false;
  if (http::has_token(headers, HeaderName::cache_control, "no-transform")) return false;
  return types_.contains(headers.value(HeaderName::content_type));
}

Verdict Compress::on_response(PolicyContext& context) const {
  const int status = context.response().status;
  HeaderList& headers = context.response().headers;
  if (status == 304) confirm(context);
  if (http::has_no_content(status) || !may_compress(context)) return Outcome::pass();
  add_vary(headers);
  // A part stays a part of what is not encoded.
  if (status == 206 || headers.has(HeaderName::content_range)) return Outcome::pass();
  const int chosen = http::choose_encoding(context.request().headers, offered_);
  if (chosen < 0) return Outcome::pass();
  const Coding coding = config_.algorithms[static_cast<std::size_t>(chosen)];
  const auto length = is_event_stream(headers) ? std::nullopt : announced_length(headers);
  describe(headers, to_string(coding), context.arena());
  if (context.request().method == http::Method::head) return Outcome::pass();
  context.response_length_unknown();
  auto& stream = context.state<Stream>();
  stream.flush = !length;
  stream.encoder.take(coding, level_of(coding), length);
  return Outcome::pass();
}

Verdict Compress::on_response_body(PolicyContext& context, BodyPiece& piece) const {
  auto& stream = context.state<Stream>();
  if (!stream.encoder) return Outcome::pass();
  const bool wait = stream.flush && !piece.more_ready;
  const Encoder::Then then = piece.last ? Encoder::Then::end
                             : wait     ? Encoder::Then::wait
                                        : Encoder::Then::more;
  thread_local EncoderOutput output;
  stream.encoder->encode(piece.chunk.view(), then, output);
  piece.chunk = output.view().empty() ? Chunk() : Chunk::copy_of(output.view());
  output.clear();
  if (piece.last) stream.encoder.give_back();
  return Outcome::pass();
}

}  // namespace doorward::policy

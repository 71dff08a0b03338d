// policy/compress: compresses responses on their way to clients that accept it (RFC 9110 §8.4,
// §12.5.3), with zstd, brotli or gzip.
//
// Subtle: a stream without an announced length (long polls) and every event stream is flushed
// whenever nothing more is there, so that nothing waits in the encoder; any other body with a
// length is not, which packs better.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "policy/compress/encoder.h"
#include "policy/compress/media_types.h"
#include "policy/policy.h"
#include "schema/value.h"

namespace doorward::policy {

struct CompressLevels {
  int gzip = 5;
  int br = 4;
  int zstd = 3;
};

struct CompressConfig {
  std::vector<Coding> algorithms = {Coding::zstd, Coding::br, Coding::gzip};
  Bytes min_size = 1_KiB;
  std::vector<std::string> types = {"text/*",
                                    "application/json",
                                    "application/*+json",
                                    "application/x-ndjson",
                                    "application/javascript",
                                    "application/xml",
                                    "application/*+xml",
                                    "application/wasm",
                                    "image/svg+xml"};
  CompressLevels level;
};

extern const schema::SchemaOf<CompressConfig>& kCompressSchema;

class Compress final : public Policy {
 public:
  explicit Compress(CompressConfig config);

  BodyNeed response_body_need() const override { return BodyNeed::stream; }
  Verdict on_response(PolicyContext& context) const override;
  Verdict on_response_body(PolicyContext& context, BodyPiece& piece) const override;

 private:
  struct Stream {
    EncoderLease encoder;
    bool flush = false;
  };
  bool may_compress(PolicyContext& context) const;
  int level_of(Coding coding) const;

  CompressConfig config_;
  MediaTypes types_;
  std::vector<std::string_view> offered_;
};

}  // namespace doorward::policy

// One family after another, as the format wants it: each adds up its cells over all shards, slot
// by slot. A histogram's count is the sum of the buckets just read, so that the two agree although
// cores count on meanwhile.
#include "observe/prometheus.h"

#include <algorithm>
#include <fmt/format.h>
#include <iterator>
#include <utility>

namespace doorward::observe {
namespace {

void append_escaped(std::string& to, std::string_view value) {
  for (const char c : value) {
    if (c == '\\' || c == '"') to += '\\';
    if (c == '\n') {
      to += "\\n";
    } else {
      to += c;
    }
  }
}

void append_label(std::string& to, std::string_view name, std::string_view value) {
  to += to.empty() ? "" : ",";
  to += name;
  to += "=\"";
  append_escaped(to, value);
  to += '"';
}

class Renderer {
 public:
  explicit Renderer(const Metrics& metrics) : metrics_(metrics), shards_(metrics.shards()) {
    for (std::size_t i = 0; i < kScopes; ++i) {
      const auto scope = static_cast<Scope>(i);
      slots_[i] =
          scope == Scope::process ? std::vector<std::string>{""} : metrics.slot_names(scope);
      find_used(scope);
    }
  }

  std::string run() {
    for (const MetricInfo& metric : kMetrics) family(metric);
    return std::move(text_);
  }

 private:
  void find_used(Scope scope) {
    const auto index = static_cast<std::size_t>(scope);
    used_[index].resize(slots_[index].size());
    for (Slot slot = 0; slot < slots_[index].size(); ++slot) {
      used_[index][slot] = scope == Scope::process || is_used(scope, slot);
    }
  }

  bool is_used(Scope scope, Slot slot) const {
    for (const MetricsShard* shard : shards_) {
      const Cell* cells = shard->find(scope, slot);
      if (cells == nullptr) continue;
      for (std::size_t i = 0; i < cells_of(scope); ++i) {
        if (cells[i].get() != 0) return true;
      }
    }
    return false;
  }

  void family(const MetricInfo& metric) {
    fmt::format_to(std::back_inserter(text_), "# HELP {} {}\n# TYPE {} {}\n", metric.name,
                   metric.help, metric.name, to_string(metric.kind));
    const auto scope = static_cast<std::size_t>(metric.scope);
    const auto values = metrics_.value_names(metric.id);
    for (Slot slot = 0; slot < slots_[scope].size(); ++slot) {
      if (!used_[scope][slot]) continue;
      std::string labels;
      if (metric.scope != Scope::process) {
        append_label(labels, to_string(metric.scope), slots_[scope][slot]);
      }
      series(metric, sums(metric, slot), labels, values);
    }
  }

  std::vector<std::uint64_t> sums(const MetricInfo& metric, Slot slot) const {
    std::vector<std::uint64_t> sums(metric.cells());
    for (const MetricsShard* shard : shards_) {
      const Cell* cells = shard->find(metric.scope, slot);
      if (cells == nullptr) continue;
      cells += kMetricOffsets[static_cast<std::size_t>(metric.id)];
      for (std::size_t i = 0; i < sums.size(); ++i) sums[i] += cells[i].get();
    }
    return sums;
  }

  void series(const MetricInfo& metric, const std::vector<std::uint64_t>& sums,
              const std::string& labels, const std::vector<std::string>& values) {
    if (metric.kind == MetricKind::histogram) return histogram(metric, sums, labels);
    if (metric.label.empty()) {
      if (!metric.sparse || sums[0] != 0) line(metric, "", labels, sums[0]);
      return;
    }
    std::uint64_t other = 0;  // counted under numbers that have no name
    for (std::size_t i = 0; i < sums.size(); ++i) {
      if (i >= values.size()) {
        other += sums[i];
        continue;
      }
      // Of a long list of codes most are never met, and some cannot be.
      if ((metric.has_late_values() || metric.sparse) && sums[i] == 0) continue;
      std::string both = labels;
      append_label(both, metric.label, values[i]);
      line(metric, "", both, sums[i]);
    }
    if (other == 0) return;
    std::string both = labels;
    append_label(both, metric.label, "other");
    line(metric, "", both, other);
  }

  void histogram(const MetricInfo& metric, const std::vector<std::uint64_t>& sums,
                 const std::string& labels) {
    if (metric.sparse && std::ranges::all_of(sums, [](std::uint64_t n) { return n == 0; })) return;
    std::uint64_t count = 0;
    for (std::size_t i = 0; i < kBuckets; ++i) {
      count += sums[i];
      std::string both = labels;
      append_label(both, "le",
                   i < kBucketBounds.size()
                       ? fmt::format("{}", static_cast<double>(kBucketBounds[i]) / metric.per_unit)
                       : "+Inf");
      line(metric, "_bucket", both, count);
    }
    const double sum = static_cast<double>(sums[kBuckets]) / metric.per_unit;
    fmt::format_to(std::back_inserter(text_), "{}_sum{{{}}} {}\n", metric.name, labels, sum);
    line(metric, "_count", labels, count);
  }

  void line(const MetricInfo& metric, std::string_view suffix, const std::string& labels,
            std::uint64_t value) {
    text_ += metric.name;
    text_ += suffix;
    if (!labels.empty()) fmt::format_to(std::back_inserter(text_), "{{{}}}", labels);
    if (metric.kind == MetricKind::gauge) {
      // Sums of gauges can be read a moment apart and fall below zero.
      fmt::format_to(std::back_inserter(text_), " {}\n", static_cast<std::int64_t>(value));
    } else {
      fmt::format_to(std::back_inserter(text_), " {}\n", value);
    }
  }

  const Metrics& metrics_;
  std::vector<const MetricsShard*> shards_;
  std::array<std::vector<std::string>, kScopes> slots_;
  std::array<std::vector<bool>, kScopes> used_;
  std::string text_;
};

std::string label_cell(const MetricInfo& metric) {
  std::string cell;
  if (metric.scope != Scope::process) cell = fmt::format("`{}`", to_string(metric.scope));
  if (metric.label.empty()) return cell;
  cell += fmt::format("{}`{}`", cell.empty() ? "" : ", ", metric.label);
  for (std::size_t i = 0; i < metric.values.size(); ++i) {
    cell += fmt::format("{}{}", i == 0 ? ": " : ", ", metric.values[i]);
  }
  return cell;
}

}  // namespace

std::string render_prometheus(const Metrics& metrics) { return Renderer(metrics).run(); }

std::string render_metrics_reference() {
  std::string page =
      "# Metrics\n\n"
      "What `/metrics` of the admin listener answers, in Prometheus' text format. Series of a "
      "listener, route or service appear once something was counted for it, carry its name as a "
      "label, and stay until the process ends, also through reloads. So do those of each `code`.\n";
  for (std::size_t i = 0; i < kScopes; ++i) {
    const auto scope = static_cast<Scope>(i);
    page += scope == Scope::process ? "\n## The process\n\n"
                                    : fmt::format("\n## Per {}\n\n", to_string(scope));
    page += "| Metric | Kind | Unit | Labels | Meaning |\n|---|---|---|---|---|\n";
    for (const MetricInfo& metric : kMetrics) {
      if (metric.scope != scope) continue;
      page += fmt::format("| `{}` | {} | {} | {} | {} |\n", metric.name, to_string(metric.kind),
                          metric.unit, label_cell(metric), metric.help);
    }
  }
  page += "\nBuckets of histograms end at (seconds):";
  for (std::size_t i = 0; i < kBucketBounds.size(); ++i) {
    page += fmt::format("{} {}", i == 0 ? "" : ",", static_cast<double>(kBucketBounds[i]) / 1e6);
  }
  return page + ".\n";
}

}  // namespace doorward::observe

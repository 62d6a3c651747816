// The two loops of a junction, for float32: a weighted sum over samples, and the dot products that
// are its gradient. One function serves any number of edges; generated code has one per number.
// Uses the compiler's vector types, because TorchInductor's flags disable loop vectorisation.

#include <algorithm>
#include <cstdint>

namespace {

constexpr int64_t kLanes = 16;
constexpr int64_t kBlock = 4096;  // floats of a sum that fit into the first-level cache

typedef float Lanes __attribute__((vector_size(kLanes * sizeof(float)), aligned(4), may_alias));

Lanes load(const float* p) { return *reinterpret_cast<const Lanes*>(p); }

void store(float* p, Lanes v) { *reinterpret_cast<Lanes*>(p) = v; }

// sum[i] (+)= a * x[i] + b * y[i]
void add_two(float* sum, const float* x, float a, const float* y, float b, int64_t n, bool first) {
  int64_t i = 0;
  if (first) {
    for (; i + kLanes <= n; i += kLanes) store(sum + i, a * load(x + i) + b * load(y + i));
    for (; i < n; ++i) sum[i] = a * x[i] + b * y[i];
  } else {
    for (; i + kLanes <= n; i += kLanes)
      store(sum + i, load(sum + i) + a * load(x + i) + b * load(y + i));
    for (; i < n; ++i) sum[i] += a * x[i] + b * y[i];
  }
}

void add_one(float* sum, const float* x, float a, int64_t n, bool first) {
  int64_t i = 0;
  if (first) {
    for (; i + kLanes <= n; i += kLanes) store(sum + i, a * load(x + i));
    for (; i < n; ++i) sum[i] = a * x[i];
  } else {
    for (; i + kLanes <= n; i += kLanes) store(sum + i, load(sum + i) + a * load(x + i));
    for (; i < n; ++i) sum[i] += a * x[i];
  }
}

float dot(const float* x, const float* y, int64_t n) {
  Lanes lanes[4] = {};
  int64_t i = 0;
  for (; i + 4 * kLanes <= n; i += 4 * kLanes)
    for (int64_t j = 0; j < 4; ++j)
      lanes[j] += load(x + i + j * kLanes) * load(y + i + j * kLanes);
  const Lanes all = (lanes[0] + lanes[1]) + (lanes[2] + lanes[3]);
  float total = 0;
  for (int64_t j = 0; j < kLanes; ++j) total += all[j];
  for (; i < n; ++i) total += x[i] * y[i];
  return total;
}

}  // namespace

// sum[b] = sum over k of weights[k][b * strides[k]] * values[k][b], for samples of `size` floats.
// The values of an edge with weight zero are not read.
extern "C" void weighted_sum(float* sum, const float* const* values, const float* const* weights,
                             const int64_t* strides, int64_t edges, int64_t batch, int64_t size) {
  const int64_t blocks = (size + kBlock - 1) / kBlock;
#pragma omp parallel for collapse(2) schedule(static)
  for (int64_t b = 0; b < batch; ++b) {
    for (int64_t block = 0; block < blocks; ++block) {
      const int64_t at = b * size + block * kBlock;
      const int64_t n = std::min(kBlock, size - block * kBlock);
      bool first = true;
      const float* waiting = nullptr;  // values are taken two at a time
      float its_weight = 0;
      for (int64_t k = 0; k < edges; ++k) {
        const float weight = weights[k][b * strides[k]];
        if (weight == 0) continue;
        if (waiting == nullptr) {
          waiting = values[k] + at;
          its_weight = weight;
          continue;
        }
        add_two(sum + at, waiting, its_weight, values[k] + at, weight, n, first);
        waiting = nullptr;
        first = false;
      }
      if (waiting != nullptr) {
        add_one(sum + at, waiting, its_weight, n, first);
      } else if (first) {
        std::fill(sum + at, sum + at + n, 0.0f);
      }
    }
  }
}

// dots[b * edges + k] = <x[b], values[k][b]>, for samples of `size` floats.
extern "C" void dot_products(float* dots, const float* x, const float* const* values, int64_t edges,
                             int64_t batch, int64_t size) {
#pragma omp parallel for collapse(2) schedule(static)
  for (int64_t b = 0; b < batch; ++b) {
    for (int64_t k = 0; k < edges; ++k) {
      double total = 0;
      for (int64_t at = 0; at < size; at += kBlock)
        total += dot(x + b * size + at, values[k] + b * size + at, std::min(kBlock, size - at));
      dots[b * edges + k] = static_cast<float>(total);
    }
  }
}

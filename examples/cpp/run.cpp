// Runs a net that `dagdsl build` has compiled, without Python:
//
//     run model.pt2 x.bin 1 1 8 8
//
// x.bin holds the input as float32, normalised as described in `model.json`. The numbers are its
// shape: batch, channels, height, width. Prints the class and the open edges of each sample.
#include <ATen/ATen.h>
#include <c10/core/InferenceMode.h>
#include <torch/csrc/inductor/aoti_package/model_package_loader.h>

#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <stdexcept>
#include <string>
#include <vector>

namespace {

at::Tensor read(const std::string& path, const std::vector<int64_t>& shape) {
  auto x = at::empty(shape);
  const auto bytes = static_cast<std::streamsize>(x.nbytes());
  std::ifstream file(path, std::ios::binary);
  if (!file.read(static_cast<char*>(x.data_ptr()), bytes) || file.peek() != EOF) {
    throw std::runtime_error(path + " does not hold float32 numbers of that shape");
  }
  return x;
}

void print(const at::Tensor& logits, const std::vector<at::Tensor>& routes, int64_t sample) {
  const auto shares = logits[sample].softmax(0);
  const auto best = shares.argmax().item<int64_t>();
  std::cout << "sample " << sample << ": class " << best << " (" << shares[best].item<float>()
            << ")\n";
  for (size_t graph = 0; graph < routes.size(); ++graph) {
    // [V, V]: the weight of the edge from node i to node j, zero where it is closed.
    const auto weights = routes[graph][sample];
    std::cout << "  graph " << graph << ":";
    for (int64_t i = 0; i < weights.size(0); ++i) {
      for (int64_t j = 0; j < weights.size(1); ++j) {
        const auto weight = weights[i][j].item<float>();
        if (weight != 0) std::cout << "  " << i << "->" << j << " " << weight;
      }
    }
    std::cout << "\n";
  }
}

}  // namespace

int main(int count, char** words) try {
  if (count < 4) {
    std::cerr << "usage: run model.pt2 x.bin BATCH CHANNELS HEIGHT WIDTH\n";
    return 2;
  }
  std::vector<int64_t> shape;
  for (int i = 3; i < count; ++i) shape.push_back(std::stoll(words[i]));

  // Compiled code does not check the shapes of its inputs unless this variable is set.
  setenv("AOTI_RUNTIME_CHECK_INPUTS", "1", 0);
  c10::InferenceMode inference;
  torch::inductor::AOTIModelPackageLoader model(words[1]);
  const auto results = model.run({read(words[2], shape)});

  // In the order of `model.json`: the outputs, here one, then the routes of each graph.
  const std::vector<at::Tensor> routes(results.begin() + 1, results.end());
  for (int64_t sample = 0; sample < shape[0]; ++sample) print(results[0], routes, sample);
} catch (const std::exception& error) {
  // The lines after the first are a stack trace of PyTorch.
  const std::string message = error.what();
  std::cerr << "run: " << message.substr(0, message.find('\n')) << "\n";
  return 1;
}

#pragma once

namespace portcullis::control {

/// portcullis-operator (controller|webhook|all) --config FILE. Returns the exit code of
/// docs/reference/api.md.
int OperatorMain(int argc, char** argv);

}  // namespace portcullis::control

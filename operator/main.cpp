#include "operator/app.h"

int main(int argc, char** argv) { return portcullis::control::OperatorMain(argc, argv); }

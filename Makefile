# The front door. Every target installs the Debian packages it needs where they are missing.
SWIFT ?= swift
# lld packs relocations (DT_RELR) and folds identical functions, which saves almost 1 MiB of resident memory. The dynamic
# linker has known the packed form since glibc 2.36.
RELR := $(shell printf '2.36\n%s\n' "$$(getconf GNU_LIBC_VERSION | cut -d' ' -f2)" | sort -VC && \
	echo -Xlinker -z -Xlinker pack-relative-relocs)
RELEASE := -c release --static-swift-stdlib -Xswiftc -use-ld=lld -Xlinker --icf=safe $(RELR)
BIN := .build/release
PREFIX ?= /usr/local
DESTDIR ?=

.PHONY: help build debug demo test run bench proto models lint format fuzz sanitize install clean

help: ## this list
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /	/' | column -t -s '	'

build: ## the optimised programs, in .build/release
	@scripts/install-packages.sh build
	$(SWIFT) build $(RELEASE) --product genwired
	$(SWIFT) build $(RELEASE) --product genwire
	$(SWIFT) build $(RELEASE) --product genwire-sim

demo: build ## a simulator, a daemon and the CLI: an answer streams through a Unix socket
	@scripts/demo.sh $(BIN)

test: ## everything: units, black-box tests, stock clients, generated code
	@scripts/install-packages.sh build test
	@scripts/test.sh

run: build ## the daemon in the foreground, with config.yaml, where genwire finds it by default
	$(BIN)/genwired --config config.yaml

bench: build ## speed and memory beside references, as one table
	@scripts/install-packages.sh bench
	$(SWIFT) build $(RELEASE) --product genwire-bench
	$(BIN)/genwire-bench --genwired $(BIN)/genwired

proto: ## regenerate the protobuf-c bindings from Proto/
	@scripts/install-packages.sh proto
	scripts/proto.sh Sources/CGenwireProto

models: ## refresh the models' facts from the pinned model map
	scripts/models.sh Sources/Providers/Catalogue/models.json

lint: ## check the formatting
	$(SWIFT) format lint --strict --recursive --parallel Package.swift Sources Tests

format: ## format all Swift sources in place
	$(SWIFT) format --in-place --recursive --parallel Package.swift Sources Tests

fuzz: ## a bounded run of random frames, bodies and configurations against the real parsers
	@scripts/install-packages.sh build test
	GENWIRE_FUZZ_ROUNDS=20000 $(SWIFT) test --filter Fuzz

sanitize: ## the tests under the address and the thread sanitizer
	@scripts/install-packages.sh build test
	@scripts/sanitize.sh

install: build ## the programs, the unit file and the completions, under PREFIX
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/lib/systemd/system $(DESTDIR)$(PREFIX)/share/bash-completion/completions
	install -m 755 $(BIN)/genwired $(BIN)/genwire $(BIN)/genwire-sim $(DESTDIR)$(PREFIX)/bin/
	sed 's|@PREFIX@|$(PREFIX)|g' packaging/genwired.service.in > $(DESTDIR)$(PREFIX)/lib/systemd/system/genwired.service
	$(BIN)/genwire --generate-completion-script bash > $(DESTDIR)$(PREFIX)/share/bash-completion/completions/genwire

clean: ## remove what was built
	rm -rf .build bench/out

package files

import (
	"maps"
	"slices"
	"strings"
)

// types maps grep's `type` to endings, and to whole names where there is no ending.
var types = map[string]string{
	"asm": ".asm .s .S", "c": ".c .h", "clojure": ".clj .cljs .cljc .edn", "cmake": ".cmake CMakeLists.txt",
	"config": ".cfg .conf .config .ini", "cpp": ".cc .cpp .cxx .c++ .h .hh .hpp .hxx .inl", "cs": ".cs", "css": ".css .scss .sass .less",
	"csv": ".csv .tsv", "dart": ".dart", "docker": "Dockerfile .dockerfile Containerfile", "elixir": ".ex .exs .heex", "erlang": ".erl .hrl",
	"fsharp": ".fs .fsi .fsx", "go": ".go", "graphql": ".graphql .gql", "groovy": ".groovy .gradle", "haskell": ".hs .lhs",
	"html": ".html .htm .xhtml", "java": ".java", "js": ".js .jsx .mjs .cjs .vue", "json": ".json .jsonl .json5 .geojson", "julia": ".jl",
	"jupyter": ".ipynb", "kotlin": ".kt .kts", "log": ".log", "lua": ".lua", "make": "Makefile makefile GNUmakefile .mk", "md": ".md .markdown .mdx",
	"nix": ".nix", "objc": ".m .mm .h", "ocaml": ".ml .mli", "perl": ".pl .pm .t", "php": ".php .phtml", "proto": ".proto", "ps": ".ps1 .psm1",
	"py": ".py .pyi .pyw", "r": ".r .R .Rmd", "rst": ".rst", "ruby": ".rb .rake .gemspec Gemfile Rakefile", "rust": ".rs", "scala": ".scala .sbt",
	"sh": ".sh .bash .zsh .ksh .fish .bashrc .zshrc .profile", "sql": ".sql", "svelte": ".svelte", "swift": ".swift", "tex": ".tex .bib .cls .sty",
	"tf": ".tf .tfvars .hcl", "toml": ".toml Cargo.lock poetry.lock", "ts": ".ts .tsx .mts .cts", "txt": ".txt", "vue": ".vue", "wasm": ".wat .wast .wit",
	"xml": ".xml .xsd .xsl .xslt .svg", "yaml": ".yaml .yml", "zig": ".zig .zon",
}

// aliases are names people also use.
var aliases = map[string]string{
	"python": "py", "javascript": "js", "typescript": "ts", "tsx": "ts", "jsx": "js", "golang": "go", "rs": "rust", "c++": "cpp",
	"cxx": "cpp", "markdown": "md", "yml": "yaml", "bash": "sh", "shell": "sh", "rb": "ruby", "csharp": "cs", "kt": "kotlin",
	"text": "txt", "scss": "css", "htm": "html", "hs": "haskell", "dockerfile": "docker", "makefile": "make", "terraform": "tf",
	"h": "c", "hpp": "cpp", "powershell": "ps", "protobuf": "proto", "jl": "julia", "ex": "elixir", "pl": "perl", "ini": "config",
}

// namesOf gives the endings and names of a type; false for a type that does not exist.
func namesOf(kind string) ([]string, bool) {
	kind = strings.ToLower(strings.TrimPrefix(kind, "."))
	if other, ok := aliases[kind]; ok {
		kind = other
	}
	names, ok := types[kind]
	return strings.Fields(names), ok
}

func knownTypes() string { return strings.Join(slices.Sorted(maps.Keys(types)), " ") }

// hasType says whether a file name has one of the endings or is one of the names.
func hasType(name string, wanted []string) bool {
	for _, one := range wanted {
		if name == one || one[0] == '.' && len(name) > len(one) && strings.HasSuffix(name, one) {
			return true
		}
	}
	return false
}

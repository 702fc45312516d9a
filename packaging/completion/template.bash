# shellcheck shell=bash
# Completion of @program@ for bash. Written by packaging/completion/generate.py.

@common@

# Offers what $1 begins: lines of standard input, or what a kind among them stands for.
_@id@_reply() {
    local line
    while IFS= read -r line; do
        line=${line%%$'\t'*}
        case $line in
        :files) compopt -o default ;;
        :directories) compopt -o dirnames ;;
        :users) mapfile -t COMPREPLY < <(compgen -u -- "$1") ;;
        :*) ;;
        *=) [[ $line == "$1"* ]] && COMPREPLY+=("$line") && compopt -o nospace ;;
        *) [[ $line == "$1"* ]] && COMPREPLY+=("$line") ;;
        esac
    done
}

_@id@() {
    local word rest=$COMP_LINE node option current before
    local -a words=()
    # Readline takes "=" and ":" for words of their own: put together again what no blank separates.
    for word in "${COMP_WORDS[@]:0:COMP_CWORD+1}"; do
        if [[ ${#words[@]} -eq 0 || $rest == [[:space:]]* ]]; then words+=("$word"); else words[-1]+=$word; fi
        rest=${rest#*"$word"}
    done
    current=${words[-1]}
    COMPREPLY=()
    _@id@_read "${words[@]:1:${#words[@]}-2}"
    if [[ -n $option ]]; then
        _@id@_reply "$current" < <(_@id@_values "$node $option")
    elif [[ $current == -*=* ]]; then
        option=${current%%=*}
        option=${option#-} option=${option#-}
        _@id@_reply "${current#*=}" < <(_@id@_values "$node $option")
        current=${current#*=}
    elif [[ $current == -* ]]; then
        _@id@_reply "$current" < <(_@id@_spelled "$current")
    else
        _@id@_reply "$current" < <(_@id@_words "$node" && _@id@_operands "$node")
    fi
    # Readline replaces only what follows the last "=" or ":".
    before=${current%"${current##*[=:]}"}
    COMPREPLY=("${COMPREPLY[@]#"$before"}")
}
complete -F _@id@ @program@

#compdef @program@
# Completion of @program@ for zsh. Written by packaging/completion/generate.py.

@common@

# Offers lines of standard input as _describe does with these arguments, or what a kind among them stands for.
_@id@_reply() {
    local line word
    local -a plain=() open=() kinds=()
    while IFS= read -r line; do
        word=${line%%$'\t'*}
        [[ $line == *$'\t'* ]] && line=${word//:/\\:}:${line#*$'\t'}
        case $word in
        :*) kinds+=("$word") ;;
        *=) open+=("$line") ;;
        *) plain+=("$line") ;;
        esac
    done
    (( $#plain )) && _describe "$@" plain
    (( $#open )) && _describe "$@" open -S ''
    for line in $kinds; do
        case $line in
        :files) _files ;;
        :directories) _files -/ ;;
        :users) _users ;;
        esac
    done
}

_@id@() {
    local node option current=$words[CURRENT]
    _@id@_read "${(@)words[2,CURRENT-1]}"
    if [[ -n $option ]]; then
        _@id@_reply value < <(_@id@_values "$node $option")
    elif [[ $current == -*=* ]]; then
        option=${${${current%%=*}#-}#-}
        compset -P '-*='
        _@id@_reply value < <(_@id@_values "$node $option")
    elif [[ $current == -* ]]; then
        _@id@_reply -o option < <(_@id@_spelled "$current")
    else
        _@id@_reply argument < <(_@id@_words "$node"; _@id@_operands "$node")
    fi
}

_@id@ "$@"

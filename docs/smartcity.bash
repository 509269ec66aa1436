# bash completion for smartcity, made by `smartcity manual bash`
_smartcity()
{
    local word=${COMP_WORDS[COMP_CWORD]} options
    if [ "$COMP_CWORD" -eq 1 ] && [ "${word#-}" = "$word" ]; then
        COMPREPLY=($(compgen -W 'pause step speed seek incident breakdown clear vehicles demand weather gps frames reset follow camera record mark replay live delete flush crawl catalogue compact transform load auto stop query estimate engine result plot export saved broker slow status run simulate journeys cloud sink doctor config quit ' -- "$word"))
        return
    fi
    case ${COMP_WORDS[1]} in
    replay) options='--bootstrap --property --topic-prefix --speed --max-speed --journeys --theme --color --ascii --mouse --read-only --to-kafka --seek --output --no-input --config --help --version ' ;;
    query) options='--data --region --verbose --cloud --profile --endpoint --bucket --bucket-owner --encryption --encryption-key --workgroup --redshift-workgroup --redshift-cluster --redshift-user --redshift-database --redshift-role --flush --auto --flush-age --flush-rows --flush-bytes --spool-limit --scan-budget --on --output --console --wait --no-input --yes --config --help --version ' ;;
    status) options='--output --console --no-input --config --help --version ' ;;
    run) options='--bootstrap --property --group --topic-prefix --from --simulate --seed --start --vehicles --route --speed --max-speed --demand --incidents --frames --camera-interval --weather-interval --record --record-limit --journeys --journeys-limit --name --theme --color --ascii --mouse --read-only --headless --for --region --verbose --cloud --profile --endpoint --bucket --bucket-owner --encryption --encryption-key --workgroup --redshift-workgroup --redshift-cluster --redshift-user --redshift-database --redshift-role --flush --auto --flush-age --flush-rows --flush-bytes --spool-limit --scan-budget --output --no-input --config --help --version ' ;;
    simulate) options='--bootstrap --property --topic-prefix --seed --start --vehicles --route --speed --max-speed --demand --incidents --frames --camera-interval --weather-interval --stdout --for --output --no-input --config --help --version ' ;;
    journeys) options='--record-limit --journeys --name --output --no-input --yes --config --help --version ' ;;
    cloud) options='--port --data --region --access-key --secret-key --faults --realistic --export --verbose --output --no-input --config --help --version ' ;;
    sink) options='--bootstrap --property --group --topic-prefix --for --region --verbose --cloud --profile --endpoint --bucket --bucket-owner --encryption --encryption-key --workgroup --redshift-workgroup --redshift-cluster --redshift-user --redshift-database --redshift-role --flush --auto --flush-age --flush-rows --flush-bytes --spool-limit --scan-budget --output --drain --no-input --config --help --version ' ;;
    doctor) options='--bootstrap --property --topic-prefix --region --verbose --cloud --profile --endpoint --bucket --bucket-owner --encryption --encryption-key --workgroup --redshift-workgroup --redshift-cluster --redshift-user --redshift-database --redshift-role --flush --auto --flush-age --flush-rows --flush-bytes --spool-limit --scan-budget --output --no-input --config --help --version ' ;;
    manual) options='--no-input --config --help --version ' ;;
    config) options='--bootstrap --property --group --topic-prefix --from --simulate --seed --start --vehicles --route --speed --demand --incidents --frames --camera-interval --weather-interval --record --record-limit --journeys --journeys-limit --theme --color --ascii --mouse --read-only --region --verbose --cloud --profile --endpoint --bucket --bucket-owner --encryption --encryption-key --workgroup --redshift-workgroup --redshift-cluster --redshift-user --redshift-database --redshift-role --flush --auto --flush-age --flush-rows --flush-bytes --spool-limit --scan-budget --output --no-input --config --help --version ' ;;
    *) options='--help --output --console' ;;
    esac
    if [ "${word#-}" != "$word" ]; then
        COMPREPLY=($(compgen -W "$options" -- "$word"))
    else
        COMPREPLY=($(compgen -f -- "$word"))
    fi
}
complete -F _smartcity smartcity
